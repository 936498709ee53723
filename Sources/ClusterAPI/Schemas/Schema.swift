import ClusterModel

/// What fields objects have: for strict decoding, for OpenAPI and `kubectl explain`.
///
/// Read once from `schemas.txt`, where each field has a name, a type and a sentence.
struct Schema: Sendable {
    indirect enum FieldType: Sendable, Equatable {
        case string
        case integer
        case boolean
        case time
        case intOrString
        /// Texts by key.
        case map
        /// Anything.
        case object
        case list(FieldType)
        case named(String)
    }

    struct Field: Sendable {
        let name: String
        let type: FieldType
        let isRequired: Bool
        let mergeKey: String?
        let values: [String]
        let description: String
    }

    struct Definition: Sendable {
        let name: String
        /// The API version, for types that are kinds.
        let apiVersion: String?
        var description = ""
        var fields: [Field] = []
        /// The fields' types by name.
        var types: [String: FieldType] = [:]
        /// Other fields are let through.
        var isOpen = false
    }

    let definitions: [String: Definition]
    /// In the order of the text.
    let names: [String]

    static let shared = Schema(parsing: String(decoding: PackageResources.schemas_txt, as: UTF8.self))

    init(parsing text: String) {
        var definitions: [String: Definition] = [:]
        var names: [String] = []
        var current: Definition?
        func finish() {
            guard var done = current else { return }
            done.types = Dictionary(done.fields.map { ($0.name, $0.type) }) { first, _ in first }
            definitions[done.name] = done
            names.append(done.name)
            current = nil
        }
        for line in text.split(separator: "\n") {
            if line.hasPrefix("type ") {
                finish()
                let words = line.split(separator: " ").map(String.init)
                current = Definition(name: words[1], apiVersion: words.count > 2 ? words[2] : nil)
            } else if line == "  *" {
                current?.isOpen = true
            } else if line.hasPrefix("  ") {
                current?.fields.append(Self.field(line.dropFirst(2)))
            } else {
                current?.description = String(line)
            }
        }
        finish()
        self.definitions = definitions
        self.names = names
    }

    private static func field(_ line: Substring) -> Field {
        let halves = line.split(separator: " : ", maxSplits: 1).map(String.init)
        let words = halves[0].split(separator: " ").map(String.init)
        func option(_ key: String) -> String? {
            words.dropFirst(2).first { $0.hasPrefix("\(key)=") }.map { String($0.dropFirst(key.count + 1)) }
        }
        return Field(
            name: words[0], type: type(words[1]), isRequired: words.contains("required"), mergeKey: option("merge"),
            values: option("enum")?.split(separator: ",").map(String.init) ?? [],
            description: halves.count > 1 ? halves[1] : "")
    }

    private static func type(_ text: String) -> FieldType {
        if text.hasPrefix("[]") { return .list(type(String(text.dropFirst(2)))) }
        return switch text {
        case "string": .string
        case "integer": .integer
        case "boolean": .boolean
        case "Time": .time
        case "IntOrString": .intOrString
        case "map": .map
        case "object": .object
        default: .named(text)
        }
    }
}
