/// A port by number or by name, as `targetPort` and probes have it.
package enum IntOrString: Hashable, Sendable, CustomStringConvertible {
    case int(Int)
    case string(String)

    /// nil for anything but a whole number or a text.
    package init?(_ json: JSONValue?) {
        if let number = json?.intValue {
            self = .int(number)
        } else if let text = json?.stringValue {
            self = .string(text)
        } else {
            return nil
        }
    }

    package var description: String {
        switch self {
        case .int(let number): "\(number)"
        case .string(let text): text
        }
    }
}
