import DNSWire
import Testing

@Suite("Names")
struct NameTests {
    @Test("Letter case is kept in text and makes no difference to equality and hashing")
    func caseIsKeptButDoesNotCount() throws {
        let mixed = try #require(Name("QuOtE.kiada"))
        let plain = try #require(Name("quote.KIADA."))
        #expect(mixed == plain)
        #expect(Set([mixed]).contains(plain))
        #expect(mixed.description == "QuOtE.kiada.")
        #expect(mixed.lowercased.description == "quote.kiada.")
    }

    @Test("Only ASCII letters are folded: '@' and '`' differ though 0x20 apart")
    func foldingStopsAtLetters() {
        #expect(Name("@") != Name("`"))
        #expect(Name("[") != Name("{"))
        #expect(Name("A") == Name("a"))
        #expect(Name("Z") == Name("z"))
    }

    @Test(
        "Text with empty or too long parts is no name",
        arguments: ["", "..", ".a", "a..b", "a..", "\\", "\\9", "\\256"])
    func badTextIsRefused(text: String) {
        #expect(Name(text) == nil)
    }

    @Test("A label has at most 63 octets and a name at most 255")
    func lengthLimits() throws {
        let label = String(repeating: "x", count: 63)
        #expect(Name(label)?.wire.count == 65)
        #expect(Name(label + "x") == nil)
        let longest = [label, label, label, String(repeating: "y", count: 61)].joined(separator: ".")
        let name = try #require(Name(longest))
        #expect(name.wire.count == 255)
        #expect(Name(longest + "y") == nil)
        #expect(Name(longest + ".") == name)
        #expect(name.prepending("a") == nil)
        #expect(name.appending(try #require(Name("a"))) == nil)
        #expect(Name(labels: [Array(repeating: UInt8(97), count: 64)]) == nil)
        #expect(Name(labels: [[UInt8]()]) == nil)
    }

    @Test("Octets that would be misread are escaped, and the text reads back")
    func escapes() throws {
        let name = try #require(Name(labels: [Array("a.b\\".utf8), [0, 255, 0x20]]))
        #expect(name.description == "a\\.b\\\\.\\000\\255\\032.")
        #expect(Name(name.description) == name)
    }

    @Test("The root is a name of no labels")
    func root() {
        #expect(Name(".") == .root)
        #expect(Name.root.description == ".")
        #expect(Name.root.labelCount == 0)
        #expect(Name.root.parent == nil)
    }

    @Test("A name is within itself, its parents and the root, label by label")
    func within() throws {
        let name = try #require(Name("a.Svc.cluster.local"))
        for (suffix, isWithin) in [
            ("a.svc.cluster.local", true), ("CLUSTER.local", true), (".", true), ("ster.local", false),
            ("b.local", false),
            ("x.a.svc.cluster.local", false),
        ] {
            #expect(name.isWithin(try #require(Name(suffix))) == isWithin, "\(suffix)")
        }
        #expect(name.parent == Name("svc.cluster.local"))
        #expect(name.labelCount == 4)
        #expect(name.parent?.prepending("a") == name)
    }
}
