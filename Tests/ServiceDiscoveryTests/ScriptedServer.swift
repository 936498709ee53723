import DNSClient
import DNSWire
import NIOCore
import NIOPosix
import NetTypes
import Synchronization

/// A name server on 127.0.0.1, over UDP and TCP on one port, that says what a script tells it to.
final class ScriptedServer: Sendable {
    /// What to send back to a query: any number of messages, true or not.
    typealias Script = @Sendable (Message, DNSExchange.Transport) -> [[UInt8]]

    struct Received: Equatable {
        var question: String
        var transport: DNSExchange.Transport
    }

    let endpoint: SocketEndpoint
    private let channels: [any Channel]
    private let log: Mutex<[Received]>

    /// All queries so far.
    var received: [Received] { log.withLock { $0 } }
    var questions: [String] { received.map(\.question) }

    private init(endpoint: SocketEndpoint, channels: [any Channel], log: consuming Mutex<[Received]>) {
        self.endpoint = endpoint
        self.channels = channels
        self.log = log
    }

    /// Runs `body` with a server that follows `script`, and takes the server down.
    static func with<Result>(
        _ script: @escaping Script, _ body: (ScriptedServer) async throws -> Result
    ) async throws -> Result {
        let server = try await start(script)
        do {
            let result = try await body(server)
            try await server.stop()
            return result
        } catch {
            try await server.stop()
            throw error
        }
    }

    private static func start(_ script: @escaping Script) async throws -> ScriptedServer {
        let group = MultiThreadedEventLoopGroup.singleton
        let box = LogBox()
        let answer: @Sendable ([UInt8], DNSExchange.Transport) -> [[UInt8]] = { bytes, transport in
            guard let query = try? Message(decoding: bytes), let question = query.questions.first else { return [] }
            box.log.withLock { $0?.record(Received(question: "\(question)", transport: transport)) }
            return script(query, transport)
        }
        let udp = try await DatagramBootstrap(group: group)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(DatagramScript(answer))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let port = udp.localAddress?.port ?? 0
        do {
            let tcp = try await ServerBootstrap(group: group)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(StreamScript(answer))
                    }
                }
                .bind(host: "127.0.0.1", port: port).get()
            let address = IPAddress.v4(IPv4Address(bits: 0x7F00_0001))
            let server = ScriptedServer(
                endpoint: SocketEndpoint(address: address, port: UInt16(port)), channels: [udp, tcp], log: Mutex([]))
            box.log.withLock { $0 = server }
            return server
        } catch {
            // Somebody else has the same number over TCP: take another.
            try await udp.close().get()
            return try await start(script)
        }
    }

    private func record(_ entry: Received) { log.withLock { $0.append(entry) } }

    private func stop() async throws {
        for channel in channels { try await channel.close().get() }
    }

    private final class LogBox: Sendable {
        let log = Mutex<ScriptedServer?>(nil)
    }
}

private final class DatagramScript: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    typealias OutboundOut = AddressedEnvelope<ByteBuffer>
    private let answer: @Sendable ([UInt8], DNSExchange.Transport) -> [[UInt8]]

    init(_ answer: @escaping @Sendable ([UInt8], DNSExchange.Transport) -> [[UInt8]]) { self.answer = answer }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let envelope = unwrapInboundIn(data)
        for reply in answer(Array(envelope.data.readableBytesView), .udp) {
            let out = AddressedEnvelope(remoteAddress: envelope.remoteAddress, data: ByteBuffer(bytes: reply))
            context.writeAndFlush(wrapOutboundOut(out), promise: nil)
        }
    }
}

private final class StreamScript: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    private let answer: @Sendable ([UInt8], DNSExchange.Transport) -> [[UInt8]]

    init(_ answer: @escaping @Sendable ([UInt8], DNSExchange.Transport) -> [[UInt8]]) { self.answer = answer }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let query = Array(unwrapInboundIn(data).readableBytesView.dropFirst(2))
        for reply in answer(query, .tcp) {
            var out = ByteBuffer(integer: UInt16(reply.count))
            out.writeBytes(reply)
            // In two parts, so that a reader that takes a part for the whole is found out.
            let cut = out.readableBytes / 2
            if let head = out.readSlice(length: cut) { context.writeAndFlush(wrapOutboundOut(head), promise: nil) }
            context.writeAndFlush(wrapOutboundOut(out), promise: nil)
        }
    }
}
