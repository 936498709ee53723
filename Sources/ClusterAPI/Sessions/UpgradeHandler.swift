import ClusterModel
import ClusterStore
import Crypto
import HTTPConnections
import NIOCore
import NIOHTTP1
import NIOWebSocket
import NetTypes

/// Turns a connection into a session when its request asks for one: exec, attach and port-forward of pods (kubectl-wire 11).
///
/// It sits behind the HTTP decoder. For a session it puts WebSocket handlers in front of that, which then never sees a
/// byte again; every other request passes through.
final class UpgradeHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundOut = ByteBuffer

    private let store: Store
    private let sessions: any PodSessions
    /// The rest of a request that is not passed on.
    private var isSwallowing = false

    init(store: Store, sessions: any PodSessions) {
        self.store = store
        self.sessions = sessions
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            guard head.method == .GET, head.headers.first(name: "upgrade")?.lowercased() == "websocket",
                let plan = plan(for: head)
            else { return context.fireChannelRead(data) }
            isSwallowing = true
            carryOut(plan, head, context)
        case .body, .end:
            if !isSwallowing { context.fireChannelRead(data) }
        }
    }

    private struct Plan {
        let handler: any ChannelHandler
        let subprotocol: String
    }

    /// nil: no session, the request goes the usual way, where it gets its error.
    private func plan(for head: HTTPRequestHead) -> Plan? {
        let parts = head.uri.split(separator: "?", maxSplits: 1).map(String.init)
        guard let path = parts.first.flatMap(ResourcePath.init), path.resource.type == .pods, let key = path.key,
            let object = store.get(key)
        else { return nil }
        let pod = Pod(object)
        let offered = head.headers[canonicalForm: Self.protocolField].map(String.init)
        switch path.subresource {
        case "exec", "attach":
            guard let chosen = ["v5.channel.k8s.io", "v4.channel.k8s.io"].first(where: offered.contains) else {
                return nil
            }
            let query = Query(parts.count > 1 ? parts[1] : nil)
            let container = query["container"] ?? pod.containers.first?.name ?? ""
            let command = query.all("command")
            let isAttach = path.subresource == "attach"
            guard isAttach || !command.isEmpty, pod.hasContainer(container) else { return nil }
            let request = SessionRequest(
                isAttach ? .container : .command(command, hasTerminal: query.flag("tty")), pod: pod,
                container: container, hasInput: query.flag("stdin"))
            return Plan(handler: StreamSessionHandler(sessions, request), subprotocol: chosen)
        case "portforward":
            let wanted = "SPDY/3.1+portforward.k8s.io"
            guard let address = pod.addresses.first else { return nil }
            let ports = Query(parts.count > 1 ? parts[1] : nil).all("ports").flatMap { $0.split(separator: ",") }
                .compactMap { UInt16($0) }
            let channels = "v4.channel.k8s.io"
            if !offered.contains(wanted), offered.contains(channels), (1...64).contains(ports.count) {
                let session = ChannelPortForwardHandler(
                    pod: pod.name, address: address.description, ports: ports)
                return Plan(handler: session, subprotocol: channels)
            }
            guard offered.contains(wanted) else { return nil }
            return Plan(handler: PortForwardHandler(pod: pod.name, address: address.description), subprotocol: wanted)
        default: return nil
        }
    }

    private static let protocolField = "sec-websocket-protocol"
    private static let magic = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

    private func carryOut(_ plan: Plan, _ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        let key = head.headers.first(name: "sec-websocket-key") ?? ""
        let digest = Base64.text(Insecure.SHA1.hash(data: Array((key + Self.magic).utf8)))
        let answer = """
            HTTP/1.1 101 Switching Protocols\r
            upgrade: websocket\r
            connection: Upgrade\r
            sec-websocket-accept: \(digest)\r
            \(Self.protocolField): \(plan.subprotocol)\r
            \r

            """
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: answer)), promise: nil)
        context.fireUserInboundEventTriggered(HTTPConnectionSwitched())
        do {
            let pipeline = context.pipeline.syncOperations
            let decoder = try pipeline.context(handlerType: ByteToMessageHandler<HTTPRequestDecoder>.self).handler
            try pipeline.addHandler(WebSocketFrameEncoder(), position: .before(decoder))
            try pipeline.addHandler(
                ByteToMessageHandler(WebSocketFrameDecoder(maxFrameSize: 4 << 20)), position: .before(decoder))
            try pipeline.addHandler(plan.handler, position: .before(decoder))
        } catch {
            context.close(promise: nil)
        }
    }
}
