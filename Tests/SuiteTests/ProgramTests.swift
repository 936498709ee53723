import Foundation
import KiadaTesting
import Testing

/// Each service as a program of its own: ports, TLS, stop, exit codes.
@Suite("The programs", .serialized)
struct ProgramTests {
    private func start(_ name: String, _ arguments: [String], environment: [String: String] = [:]) async throws
        -> (process: ChildProcess, ports: [String: Int])
    {
        let process = try ChildProcess(
            "\(RunningSuite.programs)/\(name)", ["--http-port", "0"] + arguments, environment: environment)
        let count = arguments.contains("--https-port") || name == "kiada" ? 2 : 1
        #expect(await eventually { Self.ports(process.output).count == count }, "\(process.errors)")
        return (process, Self.ports(process.output))
    }

    /// The ports in lines like `quote 0.1.0 listens on http://[::]:8080`.
    private static func ports(_ output: String) -> [String: Int] {
        var ports: [String: Int] = [:]
        for line in output.split(separator: "\n") where line.contains(" listens on ") {
            let scheme = line.contains("https://") ? "https" : "http"
            ports[scheme] = line.split(separator: ":").last.flatMap { Int($0) }
        }
        return ports
    }

    private func curl(_ arguments: String...) async throws -> ChildProcess.Exit {
        try await ChildProcess.run("curl", ["-sS", "--max-time", "20"] + arguments)
    }

    @Test("IPv4 and IPv6, healthcheck, and an orderly stop: unready first, then exit code 0")
    func life() async throws {
        let folder = try TemporaryFolder("quiz")
        let (process, ports) = try await start("quiz", ["--data-dir", folder.path, "--drain-seconds", "2"])
        let port = try #require(ports["http"])
        for host in ["127.0.0.1", "[::1]"] {
            let answer = try await curl("http://\(host):\(port)/healthz/ready")
            #expect(answer.output == "Readiness check successful\n", "\(host) \(answer.errors)")
        }
        let program = "\(RunningSuite.programs)/quiz"
        let good = try await ChildProcess.run(program, ["healthcheck"], environment: ["HTTP_PORT": "\(port)"])
        #expect(good.code == 0)
        process.signal(SIGTERM)
        #expect(
            await eventually {
                let code = try? await curl(
                    "-o", "/dev/null", "-w", "%{http_code}", "http://127.0.0.1:\(port)/healthz/ready")
                return code?.output == "503"
            })
        #expect(await process.wait().code == 0)
        let bad = try await ChildProcess.run(program, ["healthcheck", "--http-port", "\(port)"])
        #expect(bad.code == 1 && bad.errors.contains("refused"))
    }

    @Test("kiada makes its own certificate; HTTP/2 over TLS; a dead dependency does not take it down")
    func secureKiada() async throws {
        let folder = try TemporaryFolder("ca")
        let (process, ports) = try await start(
            "kiada", ["--https-port", "0", "--tls-ca-dir", folder.path],
            environment: ["QUOTE_URL": "http://127.0.0.1:1/quote", "QUIZ_URL": "http://127.0.0.1:1"])
        let port = try #require(ports["https"])
        let answer = try await curl(
            "--cacert", folder.path + "/ca.crt", "-w", "\nversion %{http_version}\n", "https://localhost:\(port)/")
        #expect(answer.output.contains("ERROR: connect ECONNREFUSED 127.0.0.1:1"), "\(answer.errors)")
        #expect(answer.output.hasSuffix("version 2\n"))
        process.signal(SIGTERM)
        #expect(await process.wait().code == 0)
    }

    @Test("kiada finds the others by DNS when there are neither URLs nor variables")
    func unknownNames() async throws {
        let folder = try TemporaryFolder("dns")
        // A name server that refuses: nothing listens at this address.
        let file = try folder.write("nameserver 127.213.0.1\noptions timeout:1 attempts:1\n", to: "resolv.conf")
        let (process, ports) = try await start(
            "kiada", ["--https-port", "0", "--tls-ca-dir", folder.path], environment: ["RESOLV_CONF": file])
        let answer = try await curl("http://127.0.0.1:\(try #require(ports["http"]))/discovery")
        #expect(answer.output.contains(#""method":"dns""#), "\(answer.output)")
        #expect(answer.output.contains("QUIZ_SERVICE_HOST"))
        process.signal(SIGKILL)
        _ = await process.wait()
    }

    @Test(
        "settings that cannot be used end with 64 and are named",
        arguments: [
            ("quote", ["--bogus"], [:], "--bogus"), ("quote", [], ["HTTP_PORT": "http"], "HTTP_PORT"),
            ("quote", ["--interval", "0"], [:], "--interval 0"),
            ("quiz", [], ["DATABASE_URL": "mysql://x"], "postgres://"),
            ("kiada", ["--quote-url", "ftp://quote"], [:], "--quote-url"),
            ("kiada", [], ["UPSTREAM_KEEP_ALIVE": "maybe"], "UPSTREAM_KEEP_ALIVE=maybe"),
            ("quote", ["--tls-cert", "x"], [:], "--tls-key"),
        ] as [(String, [String], [String: String], String)])
    func badSettings(program: String, arguments: [String], environment: [String: String], named: String) async throws {
        let exit = try await ChildProcess.run(
            "\(RunningSuite.programs)/\(program)", arguments, environment: environment)
        #expect(exit.code == 64)
        #expect(exit.errors.contains(named), "\(exit.errors)")
    }

    @Test("a port in use and a missing file end with 1 and are named")
    func failures() async throws {
        let (process, ports) = try await start("quote", [])
        let port = try #require(ports["http"])
        let taken = try await ChildProcess.run(
            "\(RunningSuite.programs)/quote", ["--http-port", "\(port)"])
        #expect(taken.code == 1)
        #expect(taken.errors.contains("\(port)") && taken.errors.contains("--http-port"), "\(taken.errors)")
        let missing = try await ChildProcess.run(
            "\(RunningSuite.programs)/quote", ["--quotes-file", "/nonexistent"])
        #expect(missing.code == 1 && missing.errors.contains("/nonexistent"))
        process.signal(SIGTERM)
        #expect(await process.wait().code == 0)
    }

    @Test("too many and too long headers are refused, and the program lives on")
    func limits() async throws {
        let (process, ports) = try await start("quote", [])
        let port = try #require(ports["http"])
        let long = String(repeating: "x", count: 40_000)
        let refused = try await curl(
            "-o", "/dev/null", "-w", "%{http_code}", "-H", "X-Long: \(long)", "http://127.0.0.1:\(port)/")
        #expect(refused.output != "200")
        let next = try await curl("http://127.0.0.1:\(port)/")
        #expect(next.output.hasPrefix("This is the quote service"))
        process.signal(SIGTERM)
        _ = await process.wait()
    }
}
