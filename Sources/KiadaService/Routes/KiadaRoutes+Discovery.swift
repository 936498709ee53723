import Hummingbird
import NetTypes
import ServiceDiscovery
import ServiceKit

extension KiadaRoutes {
    /// How one dependency is found at this moment.
    private struct Finding: Encodable {
        struct Attempt: Encodable {
            let method: String
            let detail: String

            init(_ attempt: DiscoveryAttempt) {
                method = attempt.method.rawValue
                detail = attempt.detail
            }
        }

        let attempts: [Attempt]
        var addresses: [String] = []
        var method: String?
        var url: String?
        var error: String?

        init(_ dependency: Dependency) async {
            do {
                let place = try await dependency.location()
                attempts = place.attempts.map { Attempt($0) }
                addresses = place.addresses.map(\.description)
                method = place.method.rawValue
                url = "\(place.scheme)://\(place.host)\(place.basePath)"
            } catch {
                attempts = error.attempts.map { Attempt($0) }
                self.error = error.description
            }
        }
    }

    /// For each dependency the way it was found, its addresses, and all that was tried.
    func discovery() async throws -> Response {
        async let quote = Finding(quote.dependency)
        async let quiz = Finding(quiz.dependency)
        return try await .json(encoding: ["quote": quote, "quiz": quiz])
    }
}
