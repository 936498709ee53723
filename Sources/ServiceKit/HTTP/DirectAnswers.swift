import HTTPConnections
import HTTPTypes
import NIOCore

/// The answers of a service's direct routes, with what all its answers have in common.
struct DirectAnswers: Sendable {
    private struct Known {
        let route: DirectRoute
        let fields: HTTPFields
        /// Of a body that is too short to be compressed.
        let head: AnswerHead
    }

    private let known: [String: Known]
    private let metrics: ServiceMetrics
    private let accessLog: AccessLog

    init(_ routes: [DirectRoute], podName: String, metrics: ServiceMetrics, accessLog: AccessLog) {
        known = routes.reduce(into: [:]) { known, route in
            var fields = route.fields
            fields[.podName] = podName
            known[route.path] = Known(route: route, fields: fields, head: AnswerHead(.ok, fields))
        }
        self.metrics = metrics
        self.accessLog = accessLog
    }

    /// See ``ExchangeResponder/begin(_:on:finish:)``.
    func begin(
        _ request: HTTPRequest, on channel: any Channel, finish: @escaping (DirectAnswer) -> Void
    ) -> Bool {
        guard request.method == .get, let path = request.path, let known = known[path] else { return false }
        let start = ContinuousClock.now
        let client = channel.remoteAddress
        return known.route.begin(request, client, channel.eventLoop) { body in
            let answer = Self.answer(known, body, to: request)
            let duration = ContinuousClock.now - start
            metrics.series(method: .get, route: path, status: 200).add(duration)
            accessLog.write(
                request, status: .ok, length: answer.body.readableBytes, client: client, duration: duration)
            finish(answer)
        }
    }

    private static func answer(_ known: Known, _ body: ByteBuffer, to request: HTTPRequest) -> DirectAnswer {
        guard body.readableBytes > Gzip.threshold else { return DirectAnswer(known.head, body) }
        var fields = known.fields
        let sent = Gzip.compressed(body, &fields, for: request)
        return DirectAnswer(AnswerHead(.ok, fields), sent)
    }
}
