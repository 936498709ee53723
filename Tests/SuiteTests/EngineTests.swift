import Foundation
import KiadaTesting
import Testing

/// The userspace plane where io_uring is forbidden, as Docker's profile does it: by a seccomp filter.
@Suite("Engines of the userspace plane", .enabled(if: RunningSuite.obstacle == nil, "needs ports below 1024"))
struct EngineTests {
    /// Runs its arguments with a filter that answers io_uring_setup (system call 425 on x86-64 and arm64) with EPERM.
    private static let forbidding = """
        import ctypes, os, struct, sys
        class Program(ctypes.Structure):
            _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]
        load, equal, result = 0x20, 0x15, 0x06
        lines = [(load, 0, 0, 0), (equal, 0, 1, 425), (result, 0, 0, 0x50001), (result, 0, 0, 0x7FFF0000)]
        code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in lines))
        program = Program(len(lines), ctypes.addressof(code))
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, ctypes.byref(program)):
            sys.exit(os.strerror(ctypes.get_errno()))
        os.execv(sys.argv[1], sys.argv[1:])
        """

    private static func proxy(_ suite: RunningSuite, _ folder: TemporaryFolder, _ more: [String]) throws -> ChildProcess
    {
        try ChildProcess(
            "python3",
            [
                "-c", forbidding, RunningSuite.programs + "/service-proxy", "run", "--manifests", folder.path,
                "--state-dir", folder.path + "/state", "--address-block", "\(suite.block)", "--publish-address", "none",
                "--data-plane", "userspace",
            ] + more)
    }

    @Test("where io_uring is forbidden, epoll relays and the log says why; who asks for io_uring is told so")
    func forbidden() async throws {
        let suite = try RunningSuite(manifests: try TemporaryFolder("manifests").path)
        let folder = try TemporaryFolder("engine")
        let (quote, address) = try await suite.quoteElsewhere()
        try folder.write(
            """
            apiVersion: v1
            kind: Service
            metadata: {name: quote}
            spec: {clusterIP: 127.\(suite.block).0.20, ports: [{port: 80, targetPort: 8080}]}
            ---
            apiVersion: discovery.k8s.io/v1
            kind: EndpointSlice
            metadata: {name: quote-1, labels: {kubernetes.io/service-name: quote}}
            addressType: IPv4
            ports: [{port: 8080}]
            endpoints: [{addresses: [\(address)]}]
            """, to: "all.yaml")
        let proxy = try Self.proxy(suite, folder, [])
        let url = "http://127.\(suite.block).0.20"
        #expect(
            await eventually {
                (try? await suite.curl(url).output) == "This is the quote service running in pod elsewhere\n"
            })
        #expect(proxy.errors.contains("the userspace data plane runs on epoll"), "\(proxy.errors)")
        #expect(proxy.errors.contains("io_uring: Operation not permitted"), "\(proxy.errors)")
        proxy.signal(SIGTERM)
        #expect(await proxy.wait().code == 0)

        withExtendedLifetime(quote) {}
        let refused = try await Self.proxy(suite, folder, ["--userspace-engine", "io-uring"]).wait()
        #expect(refused.code != 0)
        #expect(refused.errors.contains("io_uring: Operation not permitted"), "\(refused.errors)")
    }

    @Test("every engine carries the suite; pods take turns where that is asked for", arguments: ["epoll", "nio"])
    func turns(_ engine: String) async throws {
        let suite = try RunningSuite()
        let options = ["--userspace-engine", engine, "--userspace-choice", "round-robin"]
        let refused = try await suite.up(options)
        #expect(refused.code != 0 && refused.errors.contains("add --data-plane userspace"), "\(refused.errors)")
        #expect(try await suite.up(options + ["--data-plane", "userspace"]).code == 0)
        let quote = try suite.clusterIP("quote")
        var pods: [String] = []
        for _ in 0..<12 { pods.append(try await suite.curl("http://\(quote)").output) }
        let count = Set(pods).count
        #expect(count > 2)
        for index in count..<pods.count { #expect(pods[index] == pods[index - count]) }
        let page = try await suite.curl("http://\(try suite.clusterIP("kiada"))/text").output
        #expect(page.contains("KUBERNETES IN ACTION DEMO APPLICATION"))
        #expect(try await suite.down().code == 0)
    }
}
