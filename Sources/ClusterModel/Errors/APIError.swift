/// Why the store refused something: Kubernetes's `Status` (semantics 1.8).
package struct APIError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Reason: String, Sendable {
        case alreadyExists = "AlreadyExists"
        case badRequest = "BadRequest"
        case conflict = "Conflict"
        case expired = "Expired"
        case forbidden = "Forbidden"
        case internalError = "InternalError"
        case invalid = "Invalid"
        case methodNotAllowed = "MethodNotAllowed"
        case notAcceptable = "NotAcceptable"
        case notFound = "NotFound"
        case requestEntityTooLarge = "RequestEntityTooLarge"
        case serviceUnavailable = "ServiceUnavailable"
        case timeout = "Timeout"
        case tooManyRequests = "TooManyRequests"
        case unsupportedMediaType = "UnsupportedMediaType"

        /// The HTTP status.
        package var code: Int {
            switch self {
            case .badRequest: 400
            case .forbidden: 403
            case .notFound: 404
            case .methodNotAllowed: 405
            case .notAcceptable: 406
            case .requestEntityTooLarge: 413
            case .unsupportedMediaType: 415
            case .alreadyExists, .conflict: 409
            case .expired: 410
            case .invalid: 422
            case .tooManyRequests: 429
            case .internalError: 500
            case .serviceUnavailable: 503
            case .timeout: 504
            }
        }
    }

    package let reason: Reason
    package let message: String
    /// The fields at fault, for ``Reason/invalid``.
    package let causes: [FieldError]
    /// The fields that somebody else owns, for a server-side apply that is refused: path and owner.
    package var fieldConflicts: [FieldConflict] = []
    /// The object's name, where the request's URL does not have it.
    package var objectName: String?
    /// What is not there, which may be another object than the one that was asked for.
    package var missing: ObjectKey?
    /// Causes that are no fault of a field.
    package var otherCauses: [Cause] = []
    /// When to try again.
    package var retryAfterSeconds: Int?
    /// How to go on with a list all the same.
    package var continueToken: String?

    /// Why a request is refused, for programs.
    package struct Cause: Hashable, Sendable {
        /// One word in CamelCase.
        package let reason: String
        package let message: String
        /// Empty for none.
        package let field: String

        package init(reason: String, message: String, field: String = "") {
            self.reason = reason
            self.message = message
            self.field = field
        }
    }

    /// A field that somebody else owns.
    package struct FieldConflict: Hashable, Sendable {
        /// Such as `.spec.ports[port=80,protocol="TCP"].targetPort`.
        package let path: String
        /// Such as `"kubectl-edit" using v1`.
        package let owner: String

        package init(path: String, owner: String) {
            self.path = path
            self.owner = owner
        }
    }

    package init(_ reason: Reason, _ message: String, causes: [FieldError] = []) {
        self.reason = reason
        self.message = message
        self.causes = causes
    }

    package static func invalid(_ object: KubeObject, _ errors: [FieldError]) -> APIError {
        var seen: Set<FieldError> = []
        let causes = errors.filter { seen.insert($0).inserted }
        let list = causes.map(\.description).joined(separator: ", ")
        let text = causes.count == 1 ? list : "[\(list)]"
        let group = object.type.map { $0.group.isEmpty ? "" : ".\($0.group)" } ?? ""
        var error = APIError(
            .invalid, "\(object.kind)\(group) \"\(object.name)\" is invalid: \(text)", causes: causes)
        error.objectName = object.name
        return error
    }
    package static func notFound(_ key: ObjectKey) -> APIError {
        var error = APIError(.notFound, "\(key.type.qualifiedName) \"\(key.name)\" not found")
        error.missing = key
        return error
    }
    /// A deletion or change of another object than the one that is there.
    ///
    /// - Parameter field: which of its properties was given, such as `UID`.
    package static func precondition(
        _ key: ObjectKey, _ field: String, wanted: String, present: String
    ) -> APIError {
        APIError(
            .conflict,
            "Operation cannot be fulfilled on \(key.type.qualifiedName) \"\(key.name)\": Precondition failed: \(field) in "
                + "precondition: \(wanted), \(field) in object meta: \(present)")
    }
    package static func alreadyExists(_ key: ObjectKey) -> APIError {
        var error = APIError(.alreadyExists, "\(key.type.qualifiedName) \"\(key.name)\" already exists")
        error.objectName = key.name
        return error
    }
    package static func conflict(_ key: ObjectKey) -> APIError {
        APIError(
            .conflict,
            "Operation cannot be fulfilled on \(key.type.qualifiedName) \"\(key.name)\": the object has been modified; "
                + "please apply your changes to the latest version and try again")
    }
    package static func internalError(_ text: String) -> APIError {
        APIError(.internalError, "Internal error occurred: \(text)")
    }

    package var description: String { message }
}
