import Glibc
package import NetTypes

/// Why a dependency gave no usable answer.
///
/// The descriptions use the words of Node.js where it has some, because the book's front end prints those
/// (rule 10.2): `connect ECONNREFUSED 10.96.74.151:80`, `getaddrinfo ENOTFOUND quote`.
package enum UpstreamError: Error, Equatable, CustomStringConvertible {
    /// No such name.
    case unknownHost(String)
    /// The name could not be looked up in time.
    case lookupTimedOut(String)
    /// No connection could even be tried.
    case undiallable(String)
    /// No connection; `code` is the name of the error number, `ETIMEDOUT` when nobody answered in time.
    case connect(code: String, SocketEndpoint)
    /// Connected, but the answer was not complete within the limit.
    case timedOut(after: Duration)
    /// The peer reset the connection.
    case reset
    /// The peer closed the connection before the answer was complete.
    case closedEarly
    /// The body is longer than this many bytes.
    case tooLarge(limit: Int)
    /// Not HTTP, not JSON, not UTF-8, or not what was asked for.
    case invalidResponse
    /// Another status than 2xx; `message` is what the peer says about it, "" if nothing printable.
    case status(Int, message: String)
    /// TLS failed.
    case insecure(String)

    package var description: String {
        switch self {
        case .unknownHost(let host): "getaddrinfo ENOTFOUND \(host)"
        case .lookupTimedOut(let host): "getaddrinfo EAI_AGAIN \(host)"
        case .undiallable(let reason): reason
        case .connect(let code, let endpoint): "connect \(code) \(endpoint.address):\(endpoint.port)"
        case .timedOut(let limit): "timeout of \(Int((limit / .milliseconds(1)).rounded()))ms exceeded"
        case .reset: "read ECONNRESET"
        case .closedEarly: "socket hang up"
        case .tooLarge(let limit): "response larger than \(limit) bytes"
        case .invalidResponse: "invalid response"
        case .status(let code, _): "Request failed with status code \(code)"
        case .insecure(let reason): "TLS failed: \(reason)"
        }
    }

    /// Whether time ran out, which a gateway reports as 504 instead of 502.
    package var isTimeout: Bool {
        switch self {
        case .timedOut, .lookupTimedOut, .connect(code: "ETIMEDOUT", _): true
        case .connect, .unknownHost, .undiallable, .reset, .closedEarly, .tooLarge, .invalidResponse, .status,
            .insecure:
            false
        }
    }
}

extension UpstreamError {
    /// As `connect` has it.
    static func name(ofErrno code: CInt) -> String {
        switch code {
        case ECONNREFUSED: "ECONNREFUSED"
        case ECONNRESET: "ECONNRESET"
        case EHOSTUNREACH: "EHOSTUNREACH"
        case ENETUNREACH: "ENETUNREACH"
        case EADDRNOTAVAIL: "EADDRNOTAVAIL"
        case ETIMEDOUT: "ETIMEDOUT"
        case EACCES: "EACCES"
        case EPERM: "EPERM"
        case EMFILE: "EMFILE"
        default: "errno \(code)"
        }
    }
}
