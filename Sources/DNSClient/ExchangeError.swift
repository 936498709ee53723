import NIOCore

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Why a server gave no reply.
package enum ExchangeError: Error, Hashable, Sendable, CustomStringConvertible {
    case timeout
    /// Nobody listens there, or no way leads there; the system's words.
    case unreachable(String)
    /// The server closed the connection before its reply was whole.
    case closed
    /// The query is no message with one question, so no reply could be told from others.
    case unusableQuery

    init(_ error: any Error) {
        switch error {
        case let error as ExchangeError: self = error
        case is ChannelError: self = .timeout
        case let error as IOError: self = .unreachable(String(cString: strerror(error.errnoCode)))
        default: self = .unreachable("\(error)")
        }
    }

    package var description: String {
        switch self {
        case .timeout: "no reply in time"
        case .unreachable(let reason): reason
        case .closed: "the connection was closed without a reply"
        case .unusableQuery: "the query has no single question"
        }
    }
}
