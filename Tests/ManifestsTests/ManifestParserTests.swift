import ClusterModel
import Manifests
import Testing

struct ManifestParserTests {
    private func message(_ text: String) -> String? {
        do {
            _ = try ManifestParser.parse(text, file: "f.yaml")
        } catch {
            return error.description
        }
        return nil
    }

    @Test("Several documents, empty ones and lists are taken apart, with the line where each begins")
    func documents() throws {
        let text = """
            # a comment
            apiVersion: v1
            kind: Service
            metadata: {name: a}
            ---
            ---
            apiVersion: v1
            kind: List
            items:
              - {apiVersion: v1, kind: Pod, metadata: {name: b}}
              - {apiVersion: v1, kind: Pod, metadata: {name: c}}
            """
        let found = try ManifestParser.parse(text, file: "f.yaml")
        #expect(found.map(\.object.name) == ["a", "b", "c"])
        #expect(found[0].place == "f.yaml:2")
    }

    @Test("Scalars have the types that Kubernetes gives them")
    func scalars() throws {
        let text = """
            apiVersion: v1
            kind: ConfigMap
            data: {a: 80, b: "80", c: true, d: null, e: 1.5, f: ~, g: "true", h: http, i: 0x10}
            """
        let data = try ManifestParser.parse(text, file: "f").first?.object.json["data"]
        #expect(
            data
                == .object([
                    "a": .integer(80), "b": .string("80"), "c": .bool(true), "d": .null, "e": .number(1.5), "f": .null,
                    "g": .string("true"), "h": .string("http"), "i": .integer(16),
                ]))
    }

    @Test("JSON is read too")
    func json() throws {
        let found = try ManifestParser.parse(
            #"{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}}"#, file: "f.json")
        #expect(found.map(\.object.name) == ["x"])
    }

    @Test("A mistake is told with file, line and what is wrong")
    func mistakes() {
        #expect(message("apiVersion: v1\nkind: Pod\nkind: Service\n")?.contains("\"kind\" is already set") == true)
        #expect(message("a: [1, 2\nb: 3\n")?.hasPrefix("f.yaml:2") == true)
        #expect(message("metadata: {name: x}")?.hasSuffix("Object 'Kind' is missing") == true)
        #expect(message("kind: Pod")?.hasSuffix("Object 'apiVersion' is missing") == true)
        #expect(message("- 1\n- 2")?.contains("must be a mapping") == true)
    }

    @Test("Bombs are refused: aliases that multiply, deep nesting, huge files")
    func bombs() {
        var laughs = "apiVersion: v1\nkind: X\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1...8 {
            laughs += "a\(level): &a\(level) [\((0..<10).map { _ in "*a\(level - 1)" }.joined(separator: ", "))]\n"
        }
        #expect(message(laughs)?.contains("more than 200000 values") == true)
        #expect(
            message("a: " + String(repeating: "[", count: 500) + String(repeating: "]", count: 500))?.contains("deep")
                == true)
        #expect(message(String(repeating: "#", count: 5 << 20))?.contains("split it") == true)
    }
}
