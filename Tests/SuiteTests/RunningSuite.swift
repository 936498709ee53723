import Foundation
import KiadaTesting
import ServiceProxy
import SuiteRuntime
import Synchronization
import Testing

/// The real programs, started as a user does, with addresses and a state folder of their own.
final class RunningSuite: Sendable {
    /// The folder of the programs under test: beside the test runner.
    static let programs: String = {
        let path = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
    }()
    /// The repository's own manifests.
    static let deploy = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "deploy").path
    /// Why this user cannot run a suite; nil when they can.
    static let obstacle = PrivilegedPorts.problem()

    private static let nextBlock = Mutex<UInt8>(130)

    let folder: TemporaryFolder
    let manifests: String
    let block: UInt8

    /// - Parameter manifests: nil copies the repository's, so that a test can change them.
    init(manifests: String? = nil) throws {
        folder = try TemporaryFolder("suite")
        block = Self.nextBlock.withLock { block in
            block += 1
            return block
        }
        if let manifests {
            self.manifests = manifests
        } else {
            self.manifests = folder.path + "/deploy"
            try FileManager.default.copyItem(atPath: Self.deploy, toPath: self.manifests)
        }
    }

    deinit {
        // Only after a test that failed: the others have stopped theirs.
        if let pid = InstanceLock.holder(of: StateDirectory(state)) { kill(pid, SIGKILL) }
    }

    /// A quote that no suite has started, listening on port 8080 of the address; it ends with its owner.
    func quoteElsewhere() async throws -> (program: ChildProcess, address: String) {
        let address = "127.\(block).200.1"
        let quote = try ChildProcess(
            Self.programs + "/quote", ["--bind-address", address, "--http-port", "8080"],
            environment: ["POD_NAME": "elsewhere"])
        #expect(await eventually { quote.output.contains("listens on") })
        return (quote, address)
    }

    var state: String { folder.path + "/state" }
    var published: String { "127.\(block).66.1" }

    func command(_ arguments: [String]) async throws -> ChildProcess.Exit {
        try await ChildProcess.run(Self.programs + "/kiada-suite", arguments + ["--state-dir", state])
    }

    var upArguments: [String] {
        ["up", "--manifests", manifests, "--address-block", "\(block)", "--publish-address", published]
    }

    @discardableResult
    func up(_ more: [String] = []) async throws -> ChildProcess.Exit {
        try await command(upArguments + ["--detach"] + more)
    }

    @discardableResult
    func down() async throws -> ChildProcess.Exit { try await command(["down"]) }

    func report() throws -> StatusReport { try StatusReport.read(from: StateDirectory(state)) }

    func clusterIP(_ service: String) throws -> String {
        try #require(try report().services.first { $0.name == service }).clusterIP
    }

    func curl(_ arguments: String...) async throws -> ChildProcess.Exit {
        try await ChildProcess.run("curl", ["-sS", "--max-time", "20"] + arguments)
    }

    /// The processes that work in this suite's folder or with its addresses.
    func processes() throws -> [Int32] {
        try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { Int32($0) }.filter { pid in
            guard pid != getpid(), let data = FileManager.default.contents(atPath: "/proc/\(pid)/environ") else {
                return false
            }
            let environment = String(decoding: data, as: UTF8.self)
            let command = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") ?? Data()
            return environment.contains(folder.path) || String(decoding: command, as: UTF8.self).contains(folder.path)
        }
    }

    /// The process of a pod's container.
    func process(ofPod pod: String) throws -> Int32 {
        try #require(
            try processes().first { pid in
                let data = FileManager.default.contents(atPath: "/proc/\(pid)/environ") ?? Data()
                return String(decoding: data, as: UTF8.self).split(separator: "\0").contains("POD_NAME=\(pod)")
            })
    }
}
