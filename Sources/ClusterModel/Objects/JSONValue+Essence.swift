extension JSONValue {
    /// Without what says the same as nothing: null, false, "", empty lists and empty objects.
    ///
    /// Two objects with the same essence are the same to an API server, which keeps none of these.
    package var essence: JSONValue {
        if let object = objectValue {
            var kept = object
            for (key, member) in object {
                let part = member.essence
                kept[key] = part.isNothing ? nil : part
            }
            return .object(kept)
        }
        return arrayValue.map { .array($0.map(\.essence)) } ?? self
    }

    private var isNothing: Bool {
        self == .null || self == false || self == "" || arrayValue?.isEmpty == true || objectValue?.isEmpty == true
    }
}
