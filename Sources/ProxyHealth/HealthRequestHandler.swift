import NIOCore
import NIOHTTP1
import NetTypes

/// Answers one request after the other on a connection.
final class HealthRequestHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let hostNames: Set<String>?
    private let answer: HealthServer.Answer
    private var head: HTTPRequestHead?

    init(hostNames: Set<String>?, answer: @escaping HealthServer.Answer) {
        self.hostNames = hostNames
        self.answer = answer
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): self.head = head
        // A body is of no interest here.
        case .body: break
        case .end:
            guard let head else { return }
            self.head = nil
            respond(to: head, context)
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent { return context.close(promise: nil) }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func respond(to head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        if let refusal = refusal(of: head) { return write(refusal, to: head, context) }
        let path = String(head.uri.prefix { $0 != "?" })
        let answer = answer
        context.eventLoop.makeFutureWithTask { await answer(path) }.assumeIsolated().whenSuccess { reply in
            guard context.channel.isActive else { return }
            self.write(reply, to: head, context)
        }
    }

    private func refusal(of head: HTTPRequestHead) -> HealthReply? {
        guard head.method == .GET || head.method == .HEAD else {
            var reply = HealthReply.text("only GET and HEAD are served here\n", status: 405)
            reply.headers.append(HealthReply.Header("Allow", "GET, HEAD"))
            return reply
        }
        guard let hostNames, let host = head.headers.first(name: "host") else { return nil }
        let name = Self.hostName(host)
        guard IPAddress(name) != nil || name == "localhost" || hostNames.contains(name) else {
            return .text("this server is not called \(name)\n", status: 421)
        }
        return nil
    }

    /// The name or address of a Host field, in lower case, without port and brackets.
    private static func hostName(_ host: String) -> String {
        if host.hasPrefix("[") { return String(host.dropFirst().prefix { $0 != "]" }) }
        return host.prefix { $0 != ":" }.lowercased()
    }

    private func write(_ reply: HealthReply, to request: HTTPRequestHead, _ context: ChannelHandlerContext) {
        var head = HTTPResponseHead(
            version: request.version, status: HTTPResponseStatus(statusCode: reply.status),
            headers: [
                "Content-Type": reply.contentType, "Content-Length": "\(reply.body.utf8.count)",
                "Cache-Control": "no-store",
            ])
        for header in reply.headers { head.headers.add(name: header.name, value: header.value) }
        if !request.isKeepAlive { head.headers.replaceOrAdd(name: "Connection", value: "close") }
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if request.method != .HEAD {
            context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: reply.body)))), promise: nil)
        }
        let written = context.eventLoop.makePromise(of: Void.self)
        if !request.isKeepAlive {
            written.futureResult.assumeIsolated().whenComplete { _ in context.close(promise: nil) }
        }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: written)
    }
}
