package import Hummingbird
import Logging
package import NIOCore

/// What a request of the suite's services carries: Hummingbird's own, and who asks.
package struct ServiceRequestContext: RequestContext, RemoteAddressRequestContext {
    package var coreContext: CoreRequestContextStorage
    /// The client as the socket has it; nil in tests without one.
    package let remoteAddress: SocketAddress?

    package init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        remoteAddress = source.channel.remoteAddress
    }

    /// Bodies that are decoded by Hummingbird are refused above this many bytes.
    package var maxUploadSize: Int { 64 * 1024 }
}

/// The router of the suite's services.
package typealias ServiceRouter = Router<ServiceRequestContext>
