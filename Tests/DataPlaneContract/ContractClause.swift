#if os(Linux)
package import ServiceRouting
import Testing

/// One thing that every plane promises, tried with real sockets on loopback.
package struct ContractClause: Sendable, CustomTestStringConvertible {
    package let testDescription: String
    private let body: @Sendable (any DataPlane) async throws -> Void

    init(_ description: String, _ body: @escaping @Sendable (any DataPlane) async throws -> Void) {
        testDescription = description
        self.body = body
    }

    /// Tries `plane`, which nothing was told yet, and stops it.
    package func check(_ plane: any DataPlane) async throws { try await PlaneUnderTest.run(plane, body) }

    /// The whole contract.
    package static let all = connections + changes + affinity + datagrams + ports + events
}
#endif
