/// The rules for names of objects, ports and labels (semantics 1.1, 1.10).
///
/// Each answers everything that is wrong, in the API server's order; nothing for a good name.
package enum NameRules {
    /// Why `text` is no DNS-1035 label (must start with a letter).
    package static func dns1035Label(_ text: String) -> [String] {
        let tooLong = longer(text, than: 63)
        if isLabel(text.utf8), let first = text.utf8.first, isLetter(first) { return tooLong }
        return tooLong + [
            "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic "
                + "character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', "
                + "regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"
        ]
    }

    /// Why `text` is no DNS-1123 label.
    package static func dns1123Label(_ text: String) -> [String] {
        let tooLong = longer(text, than: 63)
        if isLabel(text.utf8) { return tooLong }
        if text.contains("."), isSubdomain(text.utf8) { return tooLong + ["must not contain dots"] }
        return tooLong + [
            "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and "
                + "end with an alphanumeric character (e.g. 'my-name',  or '123-abc', "
                + "regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
        ]
    }

    /// Why `text` is no DNS-1123 subdomain.
    package static func dns1123Subdomain(_ text: some StringProtocol) -> [String] {
        let tooLong = longer(text, than: 253)
        if isSubdomain(text.utf8) { return tooLong }
        return tooLong + [
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must "
                + "start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
                + "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
        ]
    }

    /// Why `text` is no name of a container port (IANA service name).
    package static func portName(_ text: String) -> [String] {
        var problems = longer(text, than: 15)
        let bytes = Array(text.utf8)
        if !bytes.allSatisfy({ isLetter($0) || isDigit($0) || $0 == 0x2D }) || bytes.isEmpty {
            problems.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
        }
        if !bytes.contains(where: isLetter) { problems.append("must contain at least one letter (a-z)") }
        if text.contains("--") { problems.append("must not contain consecutive hyphens") }
        if bytes.first == 0x2D || bytes.last == 0x2D { problems.append("must not begin or end with a hyphen") }
        return problems
    }

    /// Why `text` is no name of an HTTP header.
    package static func headerName(_ text: String) -> [String] {
        let bytes = Array(text.utf8)
        if !bytes.isEmpty, bytes.allSatisfy({ isLetter($0 | 0x20) || isDigit($0) || $0 == 0x2D }) { return [] }
        return [
            "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for "
                + "validation is '[-A-Za-z0-9]+')"
        ]
    }

    /// Why `text` is no key of a ConfigMap or Secret.
    package static func settingsKey(_ text: String) -> [String] {
        var problems = longer(text, than: 253)
        let bytes = Array(text.utf8)
        func isFine(_ byte: UInt8) -> Bool {
            isLetter(byte | 0x20) || isDigit(byte) || [0x2D, 0x5F, 0x2E].contains(byte)
        }
        if bytes.isEmpty || !bytes.allSatisfy(isFine) {
            problems.append(
                "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or "
                    + "'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')")
        }
        if text == "." { problems.append("must not be '.'") }
        if text == ".." {
            problems.append("must not be '..'")
        } else if text.hasPrefix("..") {
            problems.append("must not start with '..'")
        }
        return problems
    }

    /// Why `text` is no value of a label.
    package static func labelValue(_ text: some StringProtocol) -> [String] {
        let tooLong = longer(text, than: 63)
        let bytes = text.utf8
        func isEdge(_ byte: UInt8) -> Bool { isLetter(byte | 0x20) || isDigit(byte) }
        let isFine = bytes.allSatisfy { isEdge($0) || $0 == 0x2D || $0 == 0x5F || $0 == 0x2E }
        if let first = bytes.first, let last = bytes.suffix(1).first, !(isFine && isEdge(first) && isEdge(last)) {
            return tooLong + [
                "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must "
                    + "start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', "
                    + "regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
            ]
        }
        return tooLong
    }

    static func longer(_ text: some StringProtocol, than most: Int) -> [String] {
        text.utf8.count > most ? ["must be no more than \(most) characters"] : []
    }

    /// Labels between dots, in one pass: neither a dot nor a hyphen may stand beside a dot or at an end, but hyphens beside hyphens.
    private static func isSubdomain(_ bytes: some Collection<UInt8>) -> Bool {
        let (dot, hyphen) = (UInt8(ascii: "."), UInt8(ascii: "-"))
        var last = dot
        for byte in bytes {
            switch byte {
            case dot where last != dot && last != hyphen: break
            case hyphen where last != dot: break
            case _ where isLetter(byte) || isDigit(byte): break
            default: return false
            }
            last = byte
        }
        return last != dot && last != hyphen
    }

    private static func isLabel(_ bytes: some Collection<UInt8>) -> Bool {
        var last: UInt8 = 0x2D
        for byte in bytes {
            guard isLetter(byte) || isDigit(byte) || byte == 0x2D else { return false }
            last = byte
        }
        return last != 0x2D && bytes.first != 0x2D
    }
    private static func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte) }
    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
}
