import HTTPConnections
import HTTPTypes
import NIOCore

/// The answers of a service's direct routes, with what all its answers have in common.
struct DirectAnswers: Sendable {
    /// A route and what is the same in all its answers; an object, since each request under way keeps it.
    private final class Known: Sendable {
        let route: DirectRoute
        let fields: HTTPFields
        /// Of a body that is too short to be compressed.
        let head: AnswerHead
        let series: ServiceMetrics.Series

        init(_ route: DirectRoute, podName: String, metrics: ServiceMetrics) {
            self.route = route
            var fields = route.fields
            fields[.podName] = podName
            self.fields = fields
            head = AnswerHead(.ok, fields)
            series = metrics.series(method: .get, route: route.path, status: 200)
        }
    }

    private let known: [String: Known]
    private let accessLog: AccessLog

    init(_ routes: [DirectRoute], podName: String, metrics: ServiceMetrics, accessLog: AccessLog) {
        known = routes.reduce(into: [:]) { known, route in
            known[route.path] = Known(route, podName: podName, metrics: metrics)
        }
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
            known.series.add(duration)
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
