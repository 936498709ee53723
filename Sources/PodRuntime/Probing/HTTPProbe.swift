package import ClusterModel
package import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// Where an httpGet probe goes.
package struct HTTPProbeTarget: Hashable, Sendable {
    package var host: String
    package var port: Int
    package var path: String
    package var isTLS: Bool
    package var headers: [Probe.Header]

    package init(host: String, port: Int, path: String, isTLS: Bool = false, headers: [Probe.Header] = []) {
        self.host = host
        self.port = port
        self.path = path
        self.isTLS = isTLS
        self.headers = headers
    }
}

/// Runs httpGet and tcpSocket probes (semantics 4.4, 4.5): no keep-alive, no proxy, certificates not verified.
package struct NetworkProbe: Sendable {
    /// Redirects that are followed; one more counts as success with a warning.
    private static let mostRedirects = 10
    static let userAgent = "kube-probe/1.34"

    let group: any EventLoopGroup

    package init(group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton) { self.group = group }

    /// One attempt of an httpGet probe, within `timeout` in all.
    package func get(_ target: HTTPProbeTarget, timeout: Duration) async -> ProbeOutcome {
        let deadline = NIODeadline.now() + TimeAmount(timeout)
        var target = target
        for _ in 0...Self.mostRedirects {
            let answer: ProbeResponse
            do {
                answer = try await exchange(target, deadline: deadline)
            } catch {
                return .failure(Self.reason(error, target))
            }
            guard (300..<400).contains(answer.status), let location = answer.location else {
                return (200..<400).contains(answer.status)
                    ? .success : .failure("HTTP probe failed with statuscode: \(answer.status)")
            }
            guard let next = target.redirected(to: location) else {
                return .warning("Probe terminated redirects, Response body: \(answer.body)")
            }
            target = next
        }
        return .warning("Probe terminated redirects, Response body: ")
    }

    /// One attempt of a tcpSocket probe.
    package func connect(host: String, port: Int, timeout: Duration) async -> ProbeOutcome {
        do {
            let channel = try await ClientBootstrap(group: group).connectTimeout(TimeAmount(timeout))
                .connect(host: host, port: port).get()
            try? await channel.close()
            return .success
        } catch {
            return .failure(Self.reason(error, HTTPProbeTarget(host: host, port: port, path: "")))
        }
    }

    private func exchange(_ target: HTTPProbeTarget, deadline: NIODeadline) async throws -> ProbeResponse {
        let loop = group.next()
        let promise = loop.makePromise(of: ProbeResponse.self)
        let remaining = max(.nanoseconds(1), deadline - .now())
        let bootstrap = ClientBootstrap(group: loop).connectTimeout(remaining).channelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                if target.isTLS {
                    var configuration = TLSConfiguration.makeClientConfiguration()
                    configuration.certificateVerification = .none
                    let context = try NIOSSLContext(configuration: configuration)
                    try channel.pipeline.syncOperations.addHandler(
                        NIOSSLClientHandler(context: context, serverHostname: nil))
                }
                try channel.pipeline.syncOperations.addHTTPClientHandlers()
                try channel.pipeline.syncOperations.addHandler(ProbeResponseHandler(promise))
            }
        }
        let channel: any Channel
        do {
            channel = try await bootstrap.connect(host: target.host, port: target.port).get()
        } catch {
            promise.fail(error)
            throw error
        }
        let timer = loop.scheduleTask(deadline: deadline) { promise.fail(ChannelError.connectTimeout(remaining)) }
        channel.write(HTTPClientRequestPart.head(target.requestHead(userAgent: Self.userAgent)), promise: nil)
        channel.writeAndFlush(HTTPClientRequestPart.end(nil), promise: nil)
        defer {
            timer.cancel()
            channel.close(promise: nil)
        }
        return try await promise.futureResult.get()
    }

    static func reason(_ error: any Error, _ target: HTTPProbeTarget) -> String {
        let place = "\(target.host.contains(":") ? "[\(target.host)]" : target.host):\(target.port)"
        if let connection = error as? NIOConnectionError, let first = connection.connectionErrors.first {
            return reason(first.error, target)
        }
        switch error {
        case ChannelError.connectTimeout: return "dial tcp \(place): i/o timeout"
        case let error as IOError where error.errnoCode == 111: return "dial tcp \(place): connect: connection refused"
        case ChannelError.eof, ChannelError.inputClosed: return "\(place): the connection ended before an answer"
        default: return "\(place): \(error)"
        }
    }
}

extension HTTPProbeTarget {
    func requestHead(userAgent: String) -> HTTPRequestHead {
        var fields = HTTPHeaders([("Host", "\(host.contains(":") ? "[\(host)]" : host):\(port)")])
        fields.add(name: "User-Agent", value: userAgent)
        fields.add(name: "Accept", value: "*/*")
        fields.add(name: "Connection", value: "close")
        for header in headers {
            fields.remove(name: header.name)
            if !header.value.isEmpty { fields.add(name: header.name, value: header.value) }
        }
        return HTTPRequestHead(version: .http1_1, method: .GET, uri: path, headers: fields)
    }

    /// The target of a redirect; nil when it leads to another host.
    func redirected(to location: String) -> HTTPProbeTarget? {
        if location.hasPrefix("/"), !location.hasPrefix("//") {
            var next = self
            next.path = location
            return next
        }
        for (scheme, isTLS) in [("http://", false), ("https://", true)] where location.hasPrefix(scheme) {
            let rest = location.dropFirst(scheme.count)
            let authority = rest.prefix { $0 != "/" && $0 != "?" }
            let path = rest.dropFirst(authority.count)
            let parts = authority.split(separator: ":", maxSplits: 1)
            guard let name = parts.first, name == host else { return nil }
            let port = parts.count > 1 ? Int(parts[1]) : (isTLS ? 443 : 80)
            return port.map {
                HTTPProbeTarget(
                    host: host, port: $0, path: path.isEmpty ? "/" : String(path), isTLS: isTLS, headers: headers)
            }
        }
        return nil
    }
}

private struct ProbeResponse: Sendable {
    var status = 0
    var location: String?
    var body = ""
}

/// Collects one response, up to 10 KiB of its body.
private final class ProbeResponseHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart

    private let promise: EventLoopPromise<ProbeResponse>
    private var response = ProbeResponse()

    init(_ promise: EventLoopPromise<ProbeResponse>) { self.promise = promise }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            response.status = Int(head.status.code)
            response.location = head.headers.first(name: "Location")
        case .body(let bytes):
            response.body += String(decoding: bytes.readableBytesView.prefix(10240), as: UTF8.self)
            if response.body.utf8.count >= 10240 { finish(context) }
        case .end:
            finish(context)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        promise.fail(error)
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        promise.fail(ChannelError.eof)
    }

    private func finish(_ context: ChannelHandlerContext) {
        promise.succeed(response)
        context.close(promise: nil)
    }
}
