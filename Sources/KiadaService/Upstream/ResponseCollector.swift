import NIOCore
import NIOHTTP1

/// Puts the parts of one HTTP response together.
///
///     expectingHead ──head──▶ collecting ──end──▶ done
///           └───── anything else, or too much ─────▲
struct ResponseCollector {
    /// What the connection has to do after a part.
    enum Action: Equatable {
        case wait
        /// `isReusable`: the connection may carry another request.
        case finish(UpstreamResponse, isReusable: Bool)
        case fail(UpstreamError)
    }

    private enum State {
        case expectingHead
        case collecting(UpstreamResponse, isReusable: Bool)
        case done
    }

    private var state = State.expectingHead
    private let bodyLimit: Int

    /// - Parameter bodyLimit: the longest acceptable body in bytes.
    init(bodyLimit: Int) { self.bodyLimit = bodyLimit }

    /// Whether not a single part has come yet.
    var isUntouched: Bool {
        if case .expectingHead = state { true } else { false }
    }

    mutating func receive(_ part: HTTPClientResponsePart) -> Action {
        switch (state, part) {
        case (.expectingHead, .head(let head)):
            // We never ask for an encoding, so an encoded body is a mistake that we could only misread.
            if let encoding = head.headers.first(name: "content-encoding"), encoding.lowercased() != "identity" {
                return fail(.invalidResponse)
            }
            if let length = head.headers.first(name: "content-length").flatMap({ Int($0) }), length > bodyLimit {
                return fail(.tooLarge(limit: bodyLimit))
            }
            let response = UpstreamResponse(
                status: Int(head.status.code), podName: head.headers.first(name: "x-pod-name"), body: [])
            state = .collecting(response, isReusable: head.isKeepAlive)
            return .wait
        case (.collecting(var response, let isReusable), .body(let bytes)):
            guard response.body.count + bytes.readableBytes <= bodyLimit else {
                return fail(.tooLarge(limit: bodyLimit))
            }
            state = .done  // so that the body is changed in place
            response.body.append(contentsOf: bytes.readableBytesView)
            state = .collecting(response, isReusable: isReusable)
            return .wait
        case (.collecting(let response, let isReusable), .end):
            state = .done
            return .finish(response, isReusable: isReusable)
        case (.done, _):
            return .wait
        case (.expectingHead, .body), (.expectingHead, .end), (.collecting, .head):
            return fail(.invalidResponse)
        }
    }

    private mutating func fail(_ error: UpstreamError) -> Action {
        state = .done
        return .fail(error)
    }
}
