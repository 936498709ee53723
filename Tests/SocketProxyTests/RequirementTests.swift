#if os(Linux)
import KiadaTesting
import Logging
import Testing

@testable import SocketProxy

/// What is missing is said, with the remedy.
struct RequirementTests {
    @Test(arguments: [
        ("5.17.9-arch1", false), ("5.18.0", true), ("6.1.0-18-amd64", true), ("10.0", true), ("4.19", false),
        ("strange", true),
    ])
    func kernelsBefore518AreTooOld(release: String, isNewEnough: Bool) {
        #expect(KernelRelease.isNewEnough(release) == isNewEnough)
    }

    @Test func theFirstCgroup2MountCounts() {
        let mounts = """
            24 1 0:22 / /proc rw,relatime - proc proc rw
            32 30 0:28 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
            41 30 0:37 / /sys/fs/cgroup/unified rw,relatime shared:9 - cgroup2 cgroup2 rw
            """
        #expect(ControlGroup.mount(mounts) == "/sys/fs/cgroup/unified")
        #expect(ControlGroup.mount("24 1 0:22 / /proc rw - proc proc rw") == nil)
    }

    @Test(arguments: ["/proc", "/nowhere"])
    func aFolderThatIsNoControlGroupIsRefused(path: String) {
        var configuration = SocketConfiguration()
        configuration.controlGroup = path
        #expect(throws: SocketPlaneFailure.notAControlGroup(path)) {
            try SocketPlane(configuration: configuration, beneath: { NoPlane() }, logger: Logger(label: "test"))
        }
    }

    @Test(
        .enabled(if: TestGroup.reason == nil, "needs root and cgroup2"),
        .enabled(if: ChildProcess.has("setpriv"), "setpriv is missing (Debian: util-linux)"))
    func withoutTheRightsTheMessageNamesThemAndTheRemedies() async throws {
        let result = try await ChildProcess.run(
            "setpriv", ["--bounding-set", "-all,+net_bind_service", Holder.path, try #require(TestGroup.mount)])
        #expect(result.code == 1)
        #expect(result.output.contains("CAP_BPF and CAP_NET_ADMIN"))
        #expect(result.output.contains("--data-plane userspace"))
    }

    @Test(
        .enabled(if: TestGroup.reason == nil, "needs root and cgroup2"),
        .enabled(if: ChildProcess.has("setpriv"), "setpriv is missing (Debian: util-linux)"))
    func theTwoRightsAreEnough() async throws {
        let group = try TestGroup()
        let holder = try ChildProcess(
            "setpriv", ["--bounding-set", "-all,+bpf,+net_admin", Holder.path, group.path])
        let isReady = await eventually { !holder.output.isEmpty }
        #expect(isReady && holder.output == "ready\n", "\(holder.output)")
    }
}
#endif
