/// A condition on labels, as `kubectl -l` writes it: `a=b,c!=d,e in (x,y),!f`.
package struct LabelSelector: Hashable, Sendable, CustomStringConvertible {
    /// One part of the condition; all must hold.
    package enum Requirement: Hashable, Sendable {
        case isOneOf(key: String, values: Set<String>)
        /// Also true where the label is missing.
        case isNoneOf(key: String, values: Set<String>)
        case exists(key: String)
        case isAbsent(key: String)
    }

    /// Why a text is no selector.
    package struct ParseError: Error, Equatable, CustomStringConvertible {
        package let description: String
    }

    package let requirements: [Requirement]

    /// Matches objects that have all of `labels`; everything when it is empty.
    package init(equal labels: [String: String]) {
        requirements = labels.sorted { $0.key < $1.key }.map { .isOneOf(key: $0.key, values: [$0.value]) }
    }

    /// Reads the text form; the empty text matches everything.
    package init(parsing text: String) throws(ParseError) {
        var requirements: [Requirement] = []
        for part in try Self.parts(of: text) { requirements.append(try Self.requirement(part)) }
        self.requirements = requirements
    }

    /// Reads `matchLabels` and `matchExpressions`; nil when they are empty or cannot be read, which selects nothing.
    package init?(_ json: JSONValue?) {
        var requirements = LabelSelector(equal: json?["matchLabels"]?.stringMap ?? [:]).requirements
        for expression in json?["matchExpressions"]?.arrayValue ?? [] {
            guard let key = expression["key"]?.stringValue, let name = expression["operator"]?.stringValue else {
                return nil
            }
            let values = Set((expression["values"]?.arrayValue ?? []).compactMap(\.stringValue))
            switch name {
            case "In": requirements.append(.isOneOf(key: key, values: values))
            case "NotIn": requirements.append(.isNoneOf(key: key, values: values))
            case "Exists": requirements.append(.exists(key: key))
            case "DoesNotExist": requirements.append(.isAbsent(key: key))
            default: return nil
            }
        }
        guard !requirements.isEmpty else { return nil }
        self.requirements = requirements
    }

    package func matches(_ labels: [String: String]) -> Bool {
        requirements.allSatisfy { requirement in
            switch requirement {
            case .isOneOf(let key, let values): labels[key].map(values.contains) ?? false
            case .isNoneOf(let key, let values): labels[key].map { !values.contains($0) } ?? true
            case .exists(let key): labels[key] != nil
            case .isAbsent(let key): labels[key] == nil
            }
        }
    }

    package var description: String {
        requirements.map { requirement in
            switch requirement {
            case .isOneOf(let key, let values) where values.count == 1: "\(key)=\(values.first ?? "")"
            case .isOneOf(let key, let values): "\(key) in (\(values.sorted().joined(separator: ",")))"
            case .isNoneOf(let key, let values) where values.count == 1: "\(key)!=\(values.first ?? "")"
            case .isNoneOf(let key, let values): "\(key) notin (\(values.sorted().joined(separator: ",")))"
            case .exists(let key): key
            case .isAbsent(let key): "!\(key)"
            }
        }.joined(separator: ",")
    }

    /// The text cut at commas outside parentheses.
    private static func parts(of text: String) throws(ParseError) -> [String] {
        var parts: [String] = []
        var part = ""
        var isInside = false
        for character in text {
            switch character {
            case "(" where !isInside: isInside = true
            case ")" where isInside: isInside = false
            case "(", ")": throw ParseError(description: "unable to parse requirement: unexpected '\(character)'")
            case "," where !isInside:
                parts.append(part)
                part = ""
                continue
            default: break
            }
            part.append(character)
        }
        guard !isInside else { throw ParseError(description: "unable to parse requirement: ')' is missing") }
        let rest = part.trimmed
        if rest.isEmpty, parts.isEmpty { return [] }
        parts.append(part)
        return parts
    }

    private static func requirement(_ text: String) throws(ParseError) -> Requirement {
        let part = text.trimmed
        if part.hasSuffix(")"), let open = part.firstIndex(of: "(") {
            let words = part[..<open].split(whereSeparator: \.isWhitespace)
            let values = part[part.index(after: open)...].dropLast().split(
                separator: ",", omittingEmptySubsequences: false)
            guard words.count == 2 else { throw ParseError(description: "unable to parse requirement: \"\(part)\"") }
            let set = Set(try checked(values: values.map { String($0).trimmed }))
            let key = try checked(key: String(words[0]))
            switch words[1] {
            case "in": return .isOneOf(key: key, values: set)
            case "notin": return .isNoneOf(key: key, values: set)
            default:
                throw ParseError(description: "unable to parse requirement: \"\(words[1])\" is not 'in' or 'notin'")
            }
        }
        if part.hasPrefix("!") { return .isAbsent(key: try checked(key: String(part.dropFirst()).trimmed)) }
        guard let equals = part.firstIndex(of: "=") else { return .exists(key: try checked(key: part)) }
        var value = part[part.index(after: equals)...]
        if value.hasPrefix("=") { value = value.dropFirst() }
        var key = part[..<equals]
        let isNegated = key.hasSuffix("!")
        if isNegated { key = key.dropLast() }
        let values = Set(try checked(values: [String(value).trimmed]))
        let name = try checked(key: String(key).trimmed)
        return isNegated ? .isNoneOf(key: name, values: values) : .isOneOf(key: name, values: values)
    }

    private static func checked(key: String) throws(ParseError) -> String {
        guard let problem = NameRules.qualifiedName(key).first else { return key }
        throw ParseError(description: "unable to parse requirement: key: Invalid value: \"\(key)\": \(problem)")
    }

    private static func checked(values: [String]) throws(ParseError) -> [String] {
        for value in values {
            guard let problem = NameRules.labelValue(value).first else { continue }
            throw ParseError(
                description: "unable to parse requirement: values: Invalid value: \"\(value)\": \(problem)")
        }
        return values
    }
}
