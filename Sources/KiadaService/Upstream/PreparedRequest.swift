import NIOCore
import NetTypes
import ServiceDiscovery

/// A request and where it may go, made ready once for as often as it is sent.
package final class PreparedRequest: Sendable {
    /// As it goes on the wire.
    let bytes: ByteBuffer
    /// Whether it may be sent again.
    let isRepeatable: Bool
    /// Where it may go, one of them after the other.
    let places: [UpstreamPlace]
    /// The value of the Host header.
    let host: String

    /// - Parameter keepsAlive: whether the connection is to be used again.
    init(_ request: UpstreamRequest, at location: DiscoveredService, keepsAlive: Bool) {
        bytes = request.bytes(to: location.host, keepsAlive: keepsAlive)
        isRepeatable = request.json == nil
        places = location.addresses.map { UpstreamPlace($0, of: location) }
        host = location.host
    }
}
