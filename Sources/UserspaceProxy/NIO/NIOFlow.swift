import NIOCore
import NetTypes
import ServiceRouting

/// The datagrams of one client of a UDP frontend: a connected socket of their own to one endpoint (7.11).
final class NIOFlow {
    /// How many datagrams wait at most until the socket is there.
    private static let mostWaiting = 64

    let client: SocketEndpoint
    let place: Token.Place
    let frontend: Token.Place
    /// The frontend's, for answers.
    let source: any Channel
    /// Good until the flow ends.
    let record: RecordPointer
    let endpoint: SocketEndpoint
    /// Endpoints that the client's datagram was tried at before.
    let tried: [SocketEndpoint]
    /// Nanoseconds of the loop's clock.
    var lastUse: UInt64
    private(set) var channel: (any Channel)?
    private(set) var waiting: [ByteBuffer]

    init(
        client: SocketEndpoint, place: Token.Place, frontend: Token.Place, source: any Channel, record: RecordPointer,
        tried: [SocketEndpoint], waiting: [ByteBuffer], lastUse: UInt64
    ) {
        self.client = client
        self.place = place
        self.frontend = frontend
        self.source = source
        self.record = record
        endpoint = record.pointee.key.endpoint
        self.tried = tried
        self.waiting = waiting
        self.lastUse = lastUse
    }

    /// Keeps a datagram until the flow has its socket; drops it when there are too many.
    func keep(_ datagram: ByteBuffer) {
        if waiting.count < Self.mostWaiting { waiting.append(datagram) }
    }

    /// The socket is there; returns what waited for it.
    func open(_ channel: any Channel) -> [ByteBuffer] {
        self.channel = channel
        defer { waiting = [] }
        return waiting
    }
}

/// The flows of one event loop.
struct NIOFlows {
    private var flows: [Token.Place: NIOFlow] = [:]
    private var generation: UInt32 = 0

    var count: Int { flows.count }

    /// A place that no flow has.
    mutating func newPlace() -> Token.Place {
        generation &+= 1
        return Token.Place(index: 0, generation: generation)
    }

    subscript(place: Token.Place) -> NIOFlow? { flows[place] }

    mutating func insert(_ flow: NIOFlow) { flows[flow.place] = flow }

    mutating func remove(_ place: Token.Place) -> NIOFlow? { flows.removeValue(forKey: place) }
}
