/// A domain name, kept as its uncompressed wire form: `3 w w w 4 q u i z 0`.
///
/// Upper and lower case are kept, but make no difference to `==` and to hashing (RFC 4343). A label has 1...63 octets
/// of any value, a name at most 255 with all length octets (RFC 1035 section 2.3.4); longer ones cannot exist.
package struct Name: Hashable, Sendable, CustomStringConvertible {
    /// Length-prefixed labels and the final zero.
    package let wire: [UInt8]

    /// The empty name, `.`.
    package static let root = Name(uncheckedWire: [0])

    /// - Parameter uncheckedWire: a valid wire form; the caller has checked it.
    init(uncheckedWire: [UInt8]) { wire = uncheckedWire }

    /// Reads presentation form: `quiz.kiada.svc.cluster.local`, with or without the final dot.
    ///
    /// `\.` is a dot inside a label and `\065` an octet in decimal. Nil for empty or too long labels and names.
    package init?(_ text: some StringProtocol) {
        var wire: [UInt8] = [0]
        var start = 0
        var bytes = text.utf8.makeIterator()
        var isEmpty = true
        while let byte = bytes.next() {
            isEmpty = false
            if byte == UInt8(ascii: ".") {
                guard wire.count - start > 1 || (start == 0 && text.utf8.count == 1) else { return nil }
                guard wire.count - start > 1 else { continue }
                wire[start] = UInt8(wire.count - start - 1)
                start = wire.count
                wire.append(0)
                continue
            }
            if byte == UInt8(ascii: "\\") {
                guard let escaped = Self.escape(&bytes) else { return nil }
                wire.append(escaped)
            } else {
                wire.append(byte)
            }
            guard wire.count - start <= 64, wire.count <= 255 else { return nil }
        }
        guard !isEmpty else { return nil }
        if wire.count - start > 1 {
            wire[start] = UInt8(wire.count - start - 1)
            wire.append(0)
        }
        guard wire.count <= 255 else { return nil }
        self.wire = wire
    }

    /// The name of these labels, first the leftmost; nil when one is empty or too long, or the whole is.
    package init?(labels: some Sequence<some Collection<UInt8>>) {
        var wire: [UInt8] = []
        for label in labels {
            guard (1...63).contains(label.count) else { return nil }
            wire.append(UInt8(label.count))
            wire += label
        }
        wire.append(0)
        guard wire.count <= 255 else { return nil }
        self.wire = wire
    }

    /// The labels without their lengths, the leftmost first; none for the root.
    package var labels: [ArraySlice<UInt8>] {
        var labels: [ArraySlice<UInt8>] = []
        var offset = 0
        while wire[offset] != 0 {
            let end = offset + 1 + Int(wire[offset])
            labels.append(wire[(offset + 1)..<end])
            offset = end
        }
        return labels
    }

    /// 0 for the root.
    package var labelCount: Int {
        var count = 0
        var offset = 0
        while wire[offset] != 0 {
            offset += 1 + Int(wire[offset])
            count += 1
        }
        return count
    }

    /// The name without its leftmost label; nil for the root.
    package var parent: Name? {
        wire[0] == 0 ? nil : Name(uncheckedWire: Array(wire[(1 + Int(wire[0]))...]))
    }

    /// Labels of `self`, then labels of `suffix`; nil when that is more than 255 octets.
    package func appending(_ suffix: Name) -> Name? {
        guard wire.count - 1 + suffix.wire.count <= 255 else { return nil }
        return Name(uncheckedWire: wire.dropLast() + suffix.wire)
    }

    /// One more label on the left; nil when the label or the name gets too long.
    package func prepending(_ label: some StringProtocol) -> Name? {
        let bytes = Array(label.utf8)
        guard (1...63).contains(bytes.count), wire.count + bytes.count + 1 <= 255 else { return nil }
        return Name(uncheckedWire: [UInt8(bytes.count)] + bytes + wire)
    }

    /// True for `suffix` itself and for every name below it.
    package func isWithin(_ suffix: Name) -> Bool {
        var offset = 0
        while wire.count - offset > suffix.wire.count {
            offset += 1 + Int(wire[offset])
        }
        guard wire.count - offset == suffix.wire.count else { return false }
        return zip(wire[offset...], suffix.wire).allSatisfy { $0 == $1 || $0.asciiLowercased == $1.asciiLowercased }
    }

    /// The same name without upper-case ASCII letters.
    package var lowercased: Name { Name(uncheckedWire: wire.map(\.asciiLowercased)) }

    // A length octet is at most 63, so below the letters: folding the whole wire form touches letters only.
    package static func == (left: Name, right: Name) -> Bool {
        left.wire.count == right.wire.count
            && zip(left.wire, right.wire).allSatisfy { $0 == $1 || $0.asciiLowercased == $1.asciiLowercased }
    }

    package func hash(into hasher: inout Hasher) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: wire.count) { folded in
            for (index, byte) in wire.enumerated() { folded.initializeElement(at: index, to: byte.asciiLowercased) }
            hasher.combine(bytes: UnsafeRawBufferPointer(folded))
        }
    }

    /// Presentation form with the final dot; octets that would be misread are escaped (RFC 4343 section 2.1).
    package var description: String {
        guard wire.count > 1 else { return "." }
        var text = ""
        for label in labels {
            for byte in label {
                switch byte {
                case UInt8(ascii: "."), UInt8(ascii: "\\"), UInt8(ascii: "\""), UInt8(ascii: ";"):
                    text += "\\" + String(UnicodeScalar(byte))
                case 0x21...0x7E: text += String(UnicodeScalar(byte))
                default: text += "\\\(byte / 100)\(byte / 10 % 10)\(byte % 10)"
                }
            }
            text += "."
        }
        return text
    }

    private static func escape(_ bytes: inout some IteratorProtocol<UInt8>) -> UInt8? {
        guard let first = bytes.next() else { return nil }
        guard (0x30...0x39).contains(first) else { return first }
        guard let second = bytes.next(), (0x30...0x39).contains(second),
            let third = bytes.next(), (0x30...0x39).contains(third)
        else { return nil }
        var value = 0
        for digit in [first, second, third] { value = value * 10 + Int(digit) - 0x30 }
        return UInt8(exactly: value)
    }
}

extension UInt8 {
    /// The lower-case letter for `A`...`Z`, every other octet itself.
    package var asciiLowercased: UInt8 { (0x41...0x5A).contains(self) ? self | 0x20 : self }
}
