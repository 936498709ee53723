import FoundationEssentials
import KiadaTesting
import Logging
import NIOCore
import NIOPosix
import NIOSSL
import NIOTLS
import ServiceKit
import Synchronization
import Testing

@Suite("Certificates")
struct CertificateTests {
    private let folder: TemporaryFolder
    private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    init() throws { folder = try TemporaryFolder("certificates") }

    /// Shakes hands with a server that uses `source`, and answers the certificate that it showed.
    private func handshake(with source: CertificateSource, trusting authority: String) async throws -> NIOSSLCertificate
    {
        let group = MultiThreadedEventLoopGroup.singleton
        let context = try NIOSSLContext(configuration: source.serverConfiguration())
        let server = try await ServerBootstrap(group: group)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(authority))
        let clientContext = try NIOSSLContext(configuration: configuration)
        let done = group.next().makePromise(of: NIOSSLCertificate.self)
        let client = try await ClientBootstrap(group: group)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.addHandler(
                        try NIOSSLClientHandler(context: clientContext, serverHostname: "localhost"))
                    try pipeline.addHandler(HandshakeObserver(done))
                }
            }
            .connect(to: server.localAddress ?? SocketAddress(ipAddress: "127.0.0.1", port: 1)).get()
        defer {
            client.close(promise: nil)
            server.close(promise: nil)
        }
        return try await done.futureResult.get()
    }

    @Test("a certificate of the local authority is trusted by those who trust ca.crt")
    func authority() async throws {
        let authority = try LocalCertificateAuthority.loadOrCreate(directory: folder.path)
        let source = try CertificateSource(
            authority: authority, names: ["localhost"], addresses: [[127, 0, 0, 1]], logger: logger)
        _ = try await handshake(with: source, trusting: folder.path + "/ca.crt")
    }

    @Test("the authority is made once, with a key that only its owner can read, however many start at once")
    func race() async throws {
        let path = folder.path
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask { _ = try LocalCertificateAuthority.loadOrCreate(directory: path) }
            }
            try await group.waitForAll()
        }
        let names = try FileManager.default.contentsOfDirectory(atPath: path).sorted()
        #expect(names == ["ca.crt", "ca.key"])
        let mode = try FileManager.default.attributesOfItem(atPath: path + "/ca.key")[.posixPermissions] as? Int
        #expect(mode == 0o600)
    }

    @Test("a file that is no authority is named, with the remedy")
    func broken() throws {
        try folder.write("nonsense", to: "ca.key")
        let error = #expect(throws: LocalCertificateAuthority.Failure.self) {
            try LocalCertificateAuthority.loadOrCreate(directory: folder.path)
        }
        #expect(error?.description.contains("ca.key") == true)
    }

    @Test("files that change are used from the next connection on; broken ones are not")
    func reload() async throws {
        let authority = try LocalCertificateAuthority.loadOrCreate(directory: folder.path)
        func place() throws {
            let issued = try authority.issue(names: ["localhost"], addresses: [])
            try folder.write(issued.chainPEM, to: "server.crt")
            try folder.write(issued.keyPEM, to: "server.key")
        }
        try place()
        let (certificate, key) = (folder.path + "/server.crt", folder.path + "/server.key")
        let source = try CertificateSource(certificate: certificate, key: key, logger: logger)
        let first = try await handshake(with: source, trusting: folder.path + "/ca.crt")
        try place()
        let second = try await handshake(with: source, trusting: folder.path + "/ca.crt")
        #expect(first != second)
        try folder.write("nonsense", to: "server.crt")
        let third = try await handshake(with: source, trusting: folder.path + "/ca.crt")
        #expect(third == second)
    }
}

/// Keeps its promise with the peer's certificate once the handshake is done.
private final class HandshakeObserver: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let done: EventLoopPromise<NIOSSLCertificate>

    init(_ done: EventLoopPromise<NIOSSLCertificate>) { self.done = done }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case TLSUserEvent.handshakeCompleted = event {
            do {
                let handler = try context.pipeline.syncOperations.handler(type: NIOSSLHandler.self)
                guard let certificate = handler.peerCertificate else { throw ChannelError.eof }
                done.succeed(certificate)
            } catch {
                done.fail(error)
            }
        }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        done.fail(error)
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) { done.fail(ChannelError.eof) }
}
