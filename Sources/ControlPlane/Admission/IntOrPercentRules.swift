import ClusterModel

/// The rules for amounts that are numbers or percentages.
enum IntOrPercentRules {
    /// - Parameter most: the largest percentage; nil for any.
    static func errors(_ json: JSONValue?, at path: String, most: Int?) -> [FieldError] {
        switch IntOrString(json) {
        case .int(let number):
            return number < 0 ? [.invalid(path, number, "must be greater than or equal to 0")] : []
        case .string(let text):
            let digits = text.dropLast()
            guard text.hasSuffix("%"), !digits.isEmpty, digits.allSatisfy({ $0.isASCII && $0.isNumber }) else {
                return [
                    .invalid(
                        path, text,
                        "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', "
                            + "regex used for validation is '[0-9]+%')")
                ]
            }
            guard let most, Int(digits) ?? most + 1 > most else { return [] }
            return [.invalid(path, text, "must not be greater than \(most)%")]
        case nil: return [.invalid(path, json: json ?? .null, "must be an integer or percentage (e.g '5%%')")]
        }
    }
}
