#if os(Linux)
import FoundationEssentials
import KiadaTesting
import Testing

@testable import SocketProxy

/// The compiled programs as they are in the tree.
struct ProgramObjectTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Sources/CSocketProxy")

    private static func bytes() throws -> [UInt8] {
        Array(try Data(contentsOf: folder.appending(path: "programs.bpf")))
    }

    @Test func everyProgramAndMapIsFound() throws {
        let object = try ProgramObject(try Self.bytes())
        #expect(Set(object.programs.map(\.name)) == Set(ProgramKind.allCases.map(\.rawValue)))
        #expect(
            Set(object.maps.map(\.name)) == [
                "frontends", "slots", "endpoints", "counts", "affinity", "connections", "peers", "flows", "replies",
                "settings", "events",
            ])
        #expect(object.license == "Dual MIT/GPL")
        for program in object.programs { #expect(!program.maps.isEmpty) }
    }

    @Test func cuttingTheFileAnywhereIsAnErrorAndNeverATrap() throws {
        let bytes = try Self.bytes()
        for length in stride(from: 0, to: bytes.count, by: 61) {
            let isRead = (try? ProgramObject(Array(bytes.prefix(length)))) != nil
            #expect(!isRead, "\(length) of \(bytes.count) bytes")
        }
    }

    @Test func damageIsAnErrorOrAnotherObjectAndNeverATrap() throws {
        let bytes = try Self.bytes()
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<300 {
            var damaged = bytes
            for _ in 0..<8 {
                // The header and the table of sections, which is at the end.
                let header = Bool.random(using: &generator)
                let place = header ? Int.random(in: 5..<64) : Int.random(in: bytes.count - 1728..<bytes.count)
                damaged[place] = UInt8.random(in: .min ... .max)
            }
            _ = try? ProgramObject(damaged)
        }
    }

    @Test func beforeLinux61TheCallThatChoosesAnErrorIsReplacedByAFailure() throws {
        let object = try ProgramObject(try Self.bytes())
        let connect = try #require(object.programs.first { $0.name == "connect4" })
        let replaced = ProgramLoader.without([.chooseError], connect.code)
        let differing = stride(from: 0, to: replaced.count, by: 8).filter {
            replaced[$0..<$0 + 8] != connect.code[$0..<$0 + 8]
        }
        #expect(differing.count == 1)
        #expect(differing.allSatisfy { replaced[$0] == 0xB7 && replaced[$0 + 4] == 0xFF })
    }

    /// `make bpf` writes the file; whoever changes the source has to run it.
    @Test(
        .enabled(
            if: compiler != nil, "no clang with the target bpf beside swift: the compiled programs are not checked"))
    func theFileIsWhatTheSourceSays() async throws {
        let compiler = try #require(Self.compiler)
        let output = try TemporaryFolder("bpf")
        let result = try await ChildProcess.run(
            "/bin/sh", ["\(Self.folder.path())/compile.sh", "\(output.path)/programs.bpf"],
            environment: ["CLANG": compiler])
        #expect(result.code == 0, "\(result.errors)")
        let fresh = Array(try Data(contentsOf: URL(filePath: "\(output.path)/programs.bpf")))
        let kept = try Self.bytes()
        let names = (try ProgramObject(fresh).compiler, try ProgramObject(kept).compiler)
        if names.0 == names.1 {
            #expect(fresh == kept, "run make bpf")
        } else {
            print("another compiler (\(names.0)) than the one that made programs.bpf (\(names.1)): not compared")
        }
    }

    /// Beside the running swift, else in the path.
    private static let compiler: String? = {
        let candidates = ["/opt/swift/usr/bin", "/usr/bin", "/usr/local/bin"].map { "\($0)/clang" }
        let fromPath = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map { "\($0)/clang" }
        for path in fromPath + candidates where FileManager.default.isExecutableFile(atPath: path) { return path }
        return nil
    }()
}
#endif
