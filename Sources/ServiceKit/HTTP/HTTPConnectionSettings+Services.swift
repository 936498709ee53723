import HTTPConnections
import NIOCore
import NIOHTTP1

extension HTTPConnectionSettings {
    /// What the suite's services take: more than any client sends who means well; the routes have lower limits for bodies.
    static func services(idleTimeout: TimeAmount) -> HTTPConnectionSettings {
        HTTPConnectionSettings(
            idleTimeout: idleTimeout, limits: serviceLimits, bodyLimit: 64 * 1024, remembersRequests: true)
    }

    /// Of heads.
    static let serviceLimits = {
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = 16 * 1024
        limits.maxHeaderListSize = 32 * 1024
        limits.maxHeaderFieldCount = 100
        return limits
    }()
}
