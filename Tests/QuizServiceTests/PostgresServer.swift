import Foundation
import KiadaTesting

/// A PostgreSQL server of Debian's package, in a folder of its own, on a Unix socket only.
///
/// The server refuses to run as root, so it then runs as `postgres`, to whom the folder is given.
final class PostgresServer: Sendable {
    static let programs: String? = {
        let base = "/usr/lib/postgresql"
        let versions = ((try? FileManager.default.contentsOfDirectory(atPath: base)) ?? []).sorted()
        return versions.last.map { "\(base)/\($0)/bin" }
    }()
    static var isInstalled: Bool { programs != nil }

    struct Failure: Error {
        let message: String
    }

    private let folder: TemporaryFolder
    let url: String

    private init() throws {
        folder = try TemporaryFolder("postgres")
        url = "postgresql:///postgres?host=\(folder.path)&user=postgres"
    }

    deinit {
        // Only after a test that failed: the server of the others is stopped already.
        let pidFile = "\(folder.path)/data/postmaster.pid"
        let text = (try? String(contentsOf: URL(filePath: pidFile), encoding: .utf8)) ?? ""
        if let pid = text.split(separator: "\n").first.flatMap({ pid_t($0) }) { kill(pid, SIGQUIT) }
    }

    static func start() async throws -> PostgresServer {
        let server = try PostgresServer()
        if geteuid() == 0, let user = getpwnam("postgres") {
            guard chown(server.folder.path, user.pointee.pw_uid, user.pointee.pw_gid) == 0 else {
                throw Failure(message: "chown \(server.folder.path)")
            }
        }
        try await run("initdb", ["-D", server.data, "-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8"])
        try await server.startAgain()
        return server
    }

    /// Starts the server on what is in its folder; returns when it answers.
    func startAgain() async throws {
        let options = "-c listen_addresses='' -c unix_socket_directories='\(folder.path)' -c fsync=off"
        try await Self.run(
            "pg_ctl", ["-D", data, "-l", "\(folder.path)/log", "-w", "-t", "30", "-o", options, "start"])
    }

    /// Stops the server at once; nothing happens when it does not run.
    func stop() async { try? await Self.run("pg_ctl", ["-D", data, "-m", "immediate", "-w", "stop"]) }

    private var data: String { folder.path + "/data" }

    private static func run(_ program: String, _ arguments: [String]) async throws {
        let path = "\(programs ?? "")/\(program)"
        let user = geteuid() == 0 ? ["runuser", "-u", "postgres", "--"] : []
        let exit = try await ChildProcess.run(
            "env", ["-C", "/"] + user + [path] + arguments, environment: ["LC_ALL": "C"])
        guard exit.code == 0 else {
            throw Failure(message: "\(program) ended with \(exit.code): \(exit.errors)")
        }
    }
}
