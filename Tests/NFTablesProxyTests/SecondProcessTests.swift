#if os(Linux)
import KiadaTesting
import Logging
import NFTablesProxy
import Testing

/// Starts the second processes, and shows what they said when something failed there.
@Suite(.serialized, .enabled(if: NetworkNamespace.rights == nil), .timeLimit(.minutes(3)))
struct SecondProcessTests {
    @Test(
        "In a network namespace of its own",
        .enabled(if: NetworkNamespace.obstacle == nil, "\(NetworkNamespace.obstacle ?? "")"),
        arguments: ["NFTablesPlaneTests", "ContainerNetworkTests"])
    func alone(_ suite: String) async throws {
        let exit = try await NetworkNamespace.run(filter: suite)
        #expect(exit.code == 0, "\(exit.output)\n\(exit.errors)")
        // Nothing failed, and it was not because nothing ran.
        #expect(exit.errors.contains("Suite \(suite) passed"), "\(exit.output)\n\(exit.errors)")
    }

    @Test(
        "Without CAP_NET_ADMIN",
        .enabled(if: NetworkNamespace.obstacle == nil, "\(NetworkNamespace.obstacle ?? "")"))
    func withoutRight() async throws {
        let exit = try await NetworkNamespace.run(filter: "MissingRightTests", .withoutNetAdmin)
        #expect(exit.code == 0, "\(exit.output)\n\(exit.errors)")
        #expect(exit.errors.contains("Suite MissingRightTests passed"), "\(exit.output)\n\(exit.errors)")
    }

    @Test("A machine without libnftables is told what to install")
    func missingLibrary() {
        var configuration = NFTablesConfiguration()
        configuration.library = "libnosuchthing.so.1"
        let failure = #expect(throws: NFTablesPlaneFailure.self) {
            try NFTablesPlane(configuration: configuration, logger: Logger(label: "test"))
        }
        #expect(failure == .libraryMissing("libnosuchthing.so.1"))
        #expect("\(failure.map(\.description) ?? "")".contains("apt-get install nftables"))
    }
}

/// Runs in a process that has all of root's rights but this one.
@Suite(.enabled(if: NetworkNamespace.rights == .withoutNetAdmin)) struct MissingRightTests {
    @Test("A process without CAP_NET_ADMIN is told how to get it")
    func refuses() {
        let failure = #expect(throws: NFTablesPlaneFailure.self) {
            try NFTablesPlane(logger: Logger(label: "test"))
        }
        #expect(failure == .notPermitted)
        #expect("\(failure.map(\.description) ?? "")".contains("--cap-add NET_ADMIN"))
    }
}
#endif
