import NIOCore
import NIOPosix

/// One request on its way to a dependency: its addresses are tried one after the other until one is connected.
///
/// `@unchecked Sendable`: what changes, and `answer`, are used on the event loop `loop` only; others only hand it on.
final class UpstreamCall: @unchecked Sendable {
    private let client: HTTPUpstreamClient
    private let request: PreparedRequest
    private let limit: Duration
    private let deadline: NIODeadline
    private let loop: any EventLoop
    private let answer: (Result<UpstreamResponse, UpstreamError>) -> Void
    /// How many addresses were tried.
    private var tried = 0
    /// Of the address before; nil at the first one.
    private var failure: UpstreamError?

    /// - Parameter answer: called once.
    init(
        _ client: HTTPUpstreamClient, _ request: PreparedRequest, limit: Duration, on loop: any EventLoop,
        answer: @escaping (Result<UpstreamResponse, UpstreamError>) -> Void
    ) {
        self.client = client
        self.request = request
        self.limit = limit
        deadline = .now() + TimeAmount(limit)
        self.loop = loop
        self.answer = answer
    }

    /// Tries the next address.
    func goOn() {
        guard tried < request.places.count else {
            return answer(.failure(failure ?? .undiallable("\(request.host) has no address")))
        }
        let place = request.places[tried]
        guard request.isRepeatable, let connection = client.waitingConnection(to: place, on: loop) else {
            return dial(place)
        }
        run(over: connection) { [self] result in
            // The server may close just now; then it has not seen the request, or a GET does no harm twice.
            if result.isClosedByServer { dial(place) } else { answer(result) }
        }
    }

    private func dial(_ place: UpstreamPlace) {
        // Of the time that is left, each address gets an equal part to answer the dial.
        let left = deadline - .now()
        guard left > .zero else { return answer(.failure(failure ?? .timedOut(after: limit))) }
        let part = TimeAmount.nanoseconds(left.nanoseconds / Int64(request.places.count - tried))
        tried += 1
        switch client.begin(exchange { [self] result in answer(result) }, at: place, on: loop) {
        case .begun: return
        case .refused(let code):
            failure = .connect(code: code, place.endpoint)
            return goOn()
        case .impossible: break
        }
        client.dial(place, within: part, on: loop) { [self] dialled in
            switch dialled {
            case .success(let connection):
                run(over: connection) { [self] result in answer(result) }
            case .failure(let error):
                guard case .connect = error else { return answer(.failure(error)) }
                failure = error
                goOn()
            }
        }
    }

    /// - Parameter end: called on this call's loop, whatever the connection's is.
    private func run(
        over connection: UpstreamConnection, end: @escaping @Sendable (Result<UpstreamResponse, UpstreamError>) -> Void
    ) {
        let loop = loop
        let isHere = connection.loop === loop
        connection.run(exchange { result in if isHere { end(result) } else { loop.execute { end(result) } } })
    }

    private func exchange(
        _ end: @escaping @Sendable (Result<UpstreamResponse, UpstreamError>) -> Void
    ) -> UpstreamExchange {
        UpstreamExchange(request: request.bytes, deadline: deadline, limit: limit, answer: end)
    }
}

extension Result<UpstreamResponse, UpstreamError> {
    /// Whether the connection ended before the answer did.
    fileprivate var isClosedByServer: Bool {
        switch self {
        case .failure(.closedEarly), .failure(.reset): true
        default: false
        }
    }
}
