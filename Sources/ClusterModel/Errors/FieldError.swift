/// What is wrong with one field, in the API server's words: `<path>: <kind>[: <value>][: <detail>]` (semantics 1.8).
package struct FieldError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Kind: String, Sendable {
        case required = "Required value"
        case invalid = "Invalid value"
        case unsupported = "Unsupported value"
        case duplicate = "Duplicate value"
        case forbidden = "Forbidden"
        case notFound = "Not found"
        case tooLong = "Too long"
        case tooMany = "Too many"
    }

    package let path: String
    package let kind: Kind
    /// The value as it is printed: texts quoted, numbers bare, lists as JSON; nil prints none.
    package let value: String?
    package let detail: String

    package init(path: String, kind: Kind, value: String?, detail: String) {
        self.path = path
        self.kind = kind
        self.value = value
        self.detail = detail
    }

    package static func required(_ path: String, _ detail: String = "") -> FieldError {
        FieldError(path: path, kind: .required, value: nil, detail: detail)
    }
    package static func forbidden(_ path: String, _ detail: String) -> FieldError {
        FieldError(path: path, kind: .forbidden, value: nil, detail: detail)
    }
    package static func notFound(_ path: String, _ value: String) -> FieldError {
        FieldError(path: path, kind: .notFound, value: quoted(value), detail: "")
    }
    package static func invalid(_ path: String, _ value: String, _ detail: String) -> FieldError {
        FieldError(path: path, kind: .invalid, value: quoted(value), detail: detail)
    }
    package static func invalid(_ path: String, _ value: Int, _ detail: String) -> FieldError {
        FieldError(path: path, kind: .invalid, value: "\(value)", detail: detail)
    }
    /// For lists, which are shown as JSON.
    package static func invalid(_ path: String, _ values: [String], _ detail: String) -> FieldError {
        let list = "[\(values.map(quoted).joined(separator: ","))]"
        return FieldError(path: path, kind: .invalid, value: list, detail: detail)
    }
    package static func unsupported(_ path: String, _ value: String, supported: [String]) -> FieldError {
        let list = supported.sorted().map(quoted).joined(separator: ", ")
        return FieldError(path: path, kind: .unsupported, value: quoted(value), detail: "supported values: \(list)")
    }
    /// One error for each of `problems`, which are about `value`.
    package static func invalid(_ path: String, _ value: String, problems: [String]) -> [FieldError] {
        problems.map { .invalid(path, value, $0) }
    }
    /// A text or map of texts that is too large; its value is not shown.
    package static func tooLong(_ path: String, most: Int) -> FieldError {
        FieldError(path: path, kind: .tooLong, value: nil, detail: "may not be more than \(most) bytes")
    }
    package static func tooMany(_ path: String, _ count: Int, most: Int) -> FieldError {
        FieldError(path: path, kind: .tooMany, value: "\(count)", detail: "must have at most \(most) items")
    }
    /// - Parameter value: as it is printed.
    package static func duplicate(_ path: String, printed value: String) -> FieldError {
        FieldError(path: path, kind: .duplicate, value: value, detail: "")
    }

    package var description: String {
        "\(path): \(kind.rawValue)\(value.map { ": \($0)" } ?? "")\(detail.isEmpty ? "" : ": \(detail)")"
    }

    /// A text in double quotes, with `"` and `\` escaped.
    package static func quoted(_ text: String) -> String {
        "\"\(text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\""))\""
    }
}

extension FieldError {
    /// For values that are neither texts nor numbers: shown as compact JSON.
    package static func invalid(_ path: String, json value: JSONValue, _ detail: String) -> FieldError {
        FieldError(path: path, kind: .invalid, value: value.serializedText(), detail: detail)
    }
}
