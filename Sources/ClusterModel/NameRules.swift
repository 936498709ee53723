/// The rules for names of objects, ports and labels (semantics 1.1, 1.10).
package enum NameRules {
    /// Why `text` is no DNS-1035 label (must start with a letter); nil when it is one.
    package static func dns1035Label(_ text: String) -> String? {
        if text.utf8.count > 63 { return "must be no more than 63 characters" }
        if isLabel(text), let first = text.utf8.first, isLetter(first) { return nil }
        return "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic "
            + "character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', "
            + "regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"
    }

    /// Why `text` is no DNS-1123 label; nil when it is one.
    package static func dns1123Label(_ text: String) -> String? {
        if text.utf8.count > 63 { return "must be no more than 63 characters" }
        if isLabel(text) { return nil }
        if text.contains("."),
            text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy({ isLabel(String($0)) })
        {
            return "must not contain dots"
        }
        return
            "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and "
            + "end with an alphanumeric character (e.g. 'my-name',  or '123-abc', "
            + "regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
    }

    /// Why `text` is no DNS-1123 subdomain; nil when it is one.
    package static func dns1123Subdomain(_ text: String) -> String? {
        if text.utf8.count > 253 { return "must be no more than 253 characters" }
        if text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy({ isLabel(String($0)) }) {
            return nil
        }
        return
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must "
            + "start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
            + "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
    }

    /// Why `text` is no name of a container port (IANA service name); nil when it is one.
    package static func portName(_ text: String) -> String? {
        if text.utf8.count > 15 { return "must be no more than 15 characters" }
        let bytes = Array(text.utf8)
        if !bytes.allSatisfy({ isLetter($0) || isDigit($0) || $0 == 0x2D }) || bytes.isEmpty {
            return "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)"
        }
        if !bytes.contains(where: isLetter) { return "must contain at least one letter (a-z)" }
        if text.contains("--") { return "must not contain consecutive hyphens" }
        if bytes.first == 0x2D || bytes.last == 0x2D { return "must not begin or end with a hyphen" }
        return nil
    }

    /// Why `text` is no value of a label; nil when it is one.
    package static func labelValue(_ text: String) -> String? {
        if text.utf8.count > 63 { return "must be no more than 63 characters" }
        let bytes = Array(text.utf8)
        func isEdge(_ byte: UInt8) -> Bool { isLetter(byte | 0x20) || isDigit(byte) }
        let isFine = bytes.allSatisfy { isEdge($0) || [0x2D, 0x5F, 0x2E].contains($0) }
        if let first = bytes.first, let last = bytes.last, !(isFine && isEdge(first) && isEdge(last)) {
            return
                "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must "
                + "start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', "
                + "regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
        }
        return nil
    }

    private static func isLabel(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard let first = bytes.first, let last = bytes.last else { return false }
        return first != 0x2D && last != 0x2D && bytes.allSatisfy { isLetter($0) || isDigit($0) || $0 == 0x2D }
    }
    private static func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte) }
    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
}
