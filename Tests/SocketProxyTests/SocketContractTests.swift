#if os(Linux)
import DataPlaneContract
import Logging
import Testing
import UserspaceProxy

@testable import SocketProxy

extension SocketPlaneTests {
    @Test("The contract of all data planes, with the userspace plane beneath", arguments: ContractClause.all)
    func contract(_ clause: ContractClause) async throws {
        let group = try TestGroup()
        var configuration = SocketConfiguration()
        configuration.controlGroup = group.path
        let logger = Logger(label: "test")
        try await clause.check(
            try SocketPlane(
                configuration: configuration, beneath: { try UserspacePlane(logger: logger) }, logger: logger))
        withExtendedLifetime(group) {}
    }
}
#endif
