import ClusterModel
import NIOCore
import NIOHPACK
import NIOHTTP2
import NIOPosix

/// gRPC probes (semantics 4.5): `grpc.health.v1.Health/Check` over HTTP/2 without TLS.
extension NetworkProbe {
    /// One attempt, within `timeout` in all; a server that answers SERVING is healthy.
    package func check(service: String, host: String, port: Int, timeout: Duration) async -> ProbeOutcome {
        let deadline = NIODeadline.now() + TimeAmount(timeout)
        let loop = group.next()
        let authority = "\(host.contains(":") ? "[\(host)]" : host):\(port)"
        let promise = loop.makePromise(of: HealthReply.self)
        let timer = loop.scheduleTask(deadline: deadline) {
            promise.fail(ChannelError.connectTimeout(TimeAmount(timeout)))
        }
        defer { timer.cancel() }
        do {
            let (channel, streams) = try await ClientBootstrap(group: loop).connectTimeout(TimeAmount(timeout))
                .connect(host: host, port: port) { channel in
                    channel.configureHTTP2Pipeline(
                        mode: .client, connectionConfiguration: .init(), streamConfiguration: .init(),
                        inboundStreamInitializer: { $0.eventLoop.makeSucceededVoidFuture() }
                    ).map { (channel, $0) }
                }
            defer { channel.close(promise: nil) }
            streams.createStreamChannel(promise: nil) { stream in
                stream.eventLoop.makeCompletedFuture {
                    try stream.pipeline.syncOperations.addHandler(
                        HealthCheckHandler(service: service, authority: authority, promise: promise))
                }
            }
            // A connection that ends before the stream has begun tells only this.
            channel.closeFuture.whenComplete { _ in promise.fail(ChannelError.eof) }
            return try await promise.futureResult.get().outcome
        } catch {
            promise.fail(error)
            return .failure(Self.reason(error, HTTPProbeTarget(host: host, port: port, path: "")))
        }
    }
}

/// What a health server said.
package struct HealthReply: Hashable, Sendable {
    /// `grpc-status`: 0 is OK, 12 means that there is no health service; nil when there was none.
    package var code: Int?
    package var message = ""
    /// The body: frames of a compression flag, a length of 4 bytes, and a message.
    package var body: [UInt8] = []

    package init(code: Int? = nil, message: String = "", body: [UInt8] = []) {
        self.code = code
        self.message = message
        self.body = body
    }

    package var outcome: ProbeOutcome {
        switch code {
        case 0:
            guard let status = HealthMessage.status(inFrame: body) else {
                return .failure("the health reply is malformed")
            }
            return status == 1
                ? .success : .failure("service unhealthy (responded with \"\(HealthMessage.name(ofStatus: status))\")")
        case 12: return .failure("the server does not implement grpc.health.v1.Health: \(message)")
        case let code?: return .failure("the health check failed with code \(code): \(message)")
        case nil: return .failure("the server does not speak gRPC")
        }
    }
}

/// The two messages of the health protocol, in protobuf's wire format.
package enum HealthMessage {
    /// A request frame; field 1 is the service.
    package static func request(service: String) -> [UInt8] {
        var message: [UInt8] = []
        if !service.isEmpty { message = [0x0A] + varint(UInt64(service.utf8.count)) + service.utf8 }
        let length = UInt32(message.count)
        return [0, UInt8(length >> 24), UInt8(length >> 16 & 0xFF), UInt8(length >> 8 & 0xFF), UInt8(length & 0xFF)]
            + message
    }

    /// Field 1 of the reply in the first frame of `bytes`, 0 if it is absent; nil when the bytes are no such frame.
    package static func status(inFrame bytes: [UInt8]) -> UInt64? {
        guard bytes.count >= 5, bytes[0] == 0 else { return nil }
        let length = bytes[1..<5].reduce(0) { $0 << 8 | Int($1) }
        guard bytes.count - 5 >= length else { return nil }
        var rest = bytes[5..<5 + length]
        var status: UInt64 = 0
        while !rest.isEmpty {
            guard let tag = readVarint(&rest) else { return nil }
            switch tag & 7 {
            case 0:
                guard let value = readVarint(&rest) else { return nil }
                if tag >> 3 == 1 { status = value }
            case 1:
                guard rest.count >= 8 else { return nil }
                rest = rest.dropFirst(8)
            case 2:
                guard let count = readVarint(&rest), count <= UInt64(rest.count) else { return nil }
                rest = rest.dropFirst(Int(count))
            case 5:
                guard rest.count >= 4 else { return nil }
                rest = rest.dropFirst(4)
            default: return nil
            }
        }
        return status
    }

    static func name(ofStatus status: UInt64) -> String {
        let names = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"]
        return status < 4 ? names[Int(status)] : "\(status)"
    }

    private static func varint(_ value: UInt64) -> [UInt8] {
        var value = value
        var bytes: [UInt8] = []
        while value >= 0x80 {
            bytes.append(UInt8(value & 0x7F) | 0x80)
            value >>= 7
        }
        return bytes + [UInt8(value)]
    }

    private static func readVarint(_ bytes: inout ArraySlice<UInt8>) -> UInt64? {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            guard let byte = bytes.popFirst() else { return nil }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
        }
        return nil
    }
}

/// Sends one health check on a stream of its own and collects the reply.
private final class HealthCheckHandler: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame.FramePayload
    typealias OutboundOut = HTTP2Frame.FramePayload

    private static let mostBytes = 4096

    private let service: String
    private let authority: String
    private let promise: EventLoopPromise<HealthReply>
    private var reply = HealthReply()

    init(service: String, authority: String, promise: EventLoopPromise<HealthReply>) {
        self.service = service
        self.authority = authority
        self.promise = promise
    }

    func channelActive(context: ChannelHandlerContext) {
        let headers = HPACKHeaders([
            (":method", "POST"), (":scheme", "http"), (":path", "/grpc.health.v1.Health/Check"),
            (":authority", authority), ("content-type", "application/grpc"), ("te", "trailers"),
            ("user-agent", NetworkProbe.userAgent),
        ])
        context.write(wrapOutboundOut(.headers(.init(headers: headers))), promise: nil)
        let body = ByteBuffer(bytes: HealthMessage.request(service: service))
        context.writeAndFlush(wrapOutboundOut(.data(.init(data: .byteBuffer(body), endStream: true))), promise: nil)
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .headers(let frame):
            if let code = frame.headers.first(name: "grpc-status") { reply.code = Int(code) }
            if let message = frame.headers.first(name: "grpc-message") { reply.message = message }
            if frame.endStream { promise.succeed(reply) }
        case .data(let frame):
            if case .byteBuffer(let bytes) = frame.data, reply.body.count < Self.mostBytes {
                reply.body += bytes.readableBytesView
            }
            if frame.endStream { promise.succeed(reply) }
        default: break
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        promise.fail(error)
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        promise.fail(ChannelError.eof)
        context.fireChannelInactive()
    }
}
