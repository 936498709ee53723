import CLinux
import Glibc

/// Stops the suite of a state folder from another process.
package enum SuiteStop {
    package enum Result: Sendable {
        case notRunning
        case stopped
        case killed
    }

    /// Sends SIGTERM and waits for the end; after `timeout` sends SIGKILL, with which the kernel ends all pods too.
    package static func run(directory: StateDirectory, timeout: Duration) throws(SuiteError) -> Result {
        guard let pid = InstanceLock.holder(of: directory) else { return .notRunning }
        // A pid can be used again; a descriptor of the process cannot.
        let process = clinux_pidfd_open(pid)
        guard process >= 0 else { return .notRunning }
        defer { close(process) }
        guard InstanceLock.holder(of: directory) == pid else { return .notRunning }
        guard kill(pid, SIGTERM) == 0 else {
            throw SuiteError("cannot stop process \(pid): \(String(cString: strerror(errno)))")
        }
        if ended(process, within: timeout) { return .stopped }
        kill(pid, SIGKILL)
        guard ended(process, within: .seconds(5)) else { throw SuiteError("process \(pid) does not end") }
        return .killed
    }

    private static func ended(_ process: Int32, within timeout: Duration) -> Bool {
        var descriptor = pollfd(fd: process, events: Int16(POLLIN), revents: 0)
        let milliseconds = timeout.components.seconds * 1000 + timeout.components.attoseconds / 1_000_000_000_000_000
        return poll(&descriptor, 1, Int32(clamping: milliseconds)) > 0
    }
}
