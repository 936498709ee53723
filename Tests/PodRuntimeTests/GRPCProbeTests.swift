import ClusterModel
import KiadaTesting
import NIOCore
import NIOHPACK
import NIOHTTP2
import NIOPosix
import PodRuntime
import Testing

/// 4.5: health/v1 Check, SERVING is success.
struct GRPCProbeTests {
    @Test("The request names the service; a reply's status is found among fields that are not known")
    func messages() {
        #expect(HealthMessage.request(service: "") == [0, 0, 0, 0, 0])
        #expect(HealthMessage.request(service: "ab") == [0, 0, 0, 0, 4, 0x0A, 2, 0x61, 0x62])
        #expect(HealthMessage.status(inFrame: [0, 0, 0, 0, 2, 0x08, 1]) == 1)
        #expect(HealthMessage.status(inFrame: [0, 0, 0, 0, 0]) == 0)
        #expect(HealthMessage.status(inFrame: [0, 0, 0, 0, 5, 0x12, 1, 9, 0x08, 2]) == 2)
        #expect(HealthMessage.status(inFrame: [0, 0, 0, 0, 9, 0x08, 1]) == nil)
        #expect(HealthMessage.status(inFrame: [1, 0, 0, 0, 0]) == nil)
    }

    @Test("SERVING is success; anything else is a failure that says what was answered")
    func outcomes() async throws {
        let server = try await HealthServer.start()
        func check(_ service: String) async -> ProbeOutcome {
            await NetworkProbe().check(service: service, host: "127.0.0.1", port: server.port, timeout: .seconds(5))
        }
        #expect(await check("") == .success)
        #expect(await check("quiz") == .failure(#"service unhealthy (responded with "NOT_SERVING")"#))
        #expect(await check("nobody") == .failure("the health check failed with code 5: unknown service"))
        #expect(await check("bare") == .failure("the server does not implement grpc.health.v1.Health: no"))
        try await server.channel.close()
    }

    @Test("A server that does not answer fails after the timeout; a closed port at once")
    func silent() async throws {
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(server.localAddress?.port)
        let probe = NetworkProbe()
        #expect(
            await probe.check(service: "", host: "127.0.0.1", port: port, timeout: .milliseconds(50))
                == .failure("dial tcp 127.0.0.1:\(port): i/o timeout"))
        try await server.close()
        #expect(
            await probe.check(service: "", host: "127.0.0.1", port: port, timeout: .seconds(5))
                == .failure("dial tcp 127.0.0.1:\(port): connect: connection refused"))
    }
}

/// A health server that knows "" (SERVING) and "quiz" (NOT_SERVING); "bare" is answered as if there were no such protocol.
private struct HealthServer {
    let channel: any Channel
    let port: Int

    static func start() async throws -> HealthServer {
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.configureHTTP2Pipeline(
                    mode: .server, connectionConfiguration: .init(), streamConfiguration: .init(),
                    inboundStreamInitializer: { stream in
                        stream.eventLoop.makeCompletedFuture {
                            try stream.pipeline.syncOperations.addHandler(HealthHandler())
                        }
                    }
                ).map { _ in }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return HealthServer(channel: channel, port: channel.localAddress?.port ?? 0)
    }
}

private final class HealthHandler: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame.FramePayload
    typealias OutboundOut = HTTP2Frame.FramePayload

    private var path = ""
    private var body: [UInt8] = []

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .headers(let frame): path = frame.headers.first(name: ":path") ?? ""
        case .data(let frame):
            if case .byteBuffer(let bytes) = frame.data { body += bytes.readableBytesView }
            if frame.endStream { answer(context) }
        default: break
        }
    }

    private func answer(_ context: ChannelHandlerContext) {
        let service = String(decoding: body.dropFirst(7), as: UTF8.self)
        var head = HPACKHeaders([(":status", "200"), ("content-type", "application/grpc")])
        guard path == "/grpc.health.v1.Health/Check", ["", "quiz"].contains(service) else {
            head.add(name: "grpc-status", value: service == "nobody" ? "5" : "12")
            head.add(name: "grpc-message", value: service == "nobody" ? "unknown service" : "no")
            return context.writeAndFlush(
                wrapOutboundOut(.headers(.init(headers: head, endStream: true))), promise: nil)
        }
        context.write(wrapOutboundOut(.headers(.init(headers: head))), promise: nil)
        let message = ByteBuffer(bytes: [0, 0, 0, 0, 2, 0x08, service.isEmpty ? 1 : 2])
        context.write(wrapOutboundOut(.data(.init(data: .byteBuffer(message)))), promise: nil)
        let trailers = HPACKHeaders([("grpc-status", "0")])
        context.writeAndFlush(wrapOutboundOut(.headers(.init(headers: trailers, endStream: true))), promise: nil)
    }
}
