package import ClusterModel

/// What a client wants of the standard streams of a program in a pod.
package struct SessionRequest: Sendable {
    /// Which program it is.
    package enum Program: Sendable, Equatable {
        /// One that is started beside the container: `kubectl exec`.
        case command([String], hasTerminal: Bool)
        /// The container's own: `kubectl attach`.
        case container
    }

    package let program: Program
    package let pod: Pod
    package let container: String
    package let hasInput: Bool

    package init(_ program: Program, pod: Pod, container: String, hasInput: Bool) {
        self.program = program
        self.pod = pod
        self.container = container
        self.hasInput = hasInput
    }
}

/// What a program in a pod does.
package enum SessionEvent: Sendable {
    /// It takes input from now on; the first event, unless it fails.
    case started
    case output([UInt8], isError: Bool)
    case ended(code: Int32)
    /// It could not be started, or there is nothing to attach to.
    case failed(String)
}

/// A program in a pod, as the API steers it.
package protocol PodSession: Sendable {
    /// May wait while the program does not read.
    func write(_ bytes: [UInt8])
    func closeInput()
    func resize(columns: UInt16, rows: UInt16)
    /// The client has left.
    func cancel()
}

/// Opens sessions with programs in pods.
package protocol PodSessions: Sendable {
    /// Opens one; everything that becomes of it is reported in order, on any thread.
    func open(_ request: SessionRequest, report: @escaping @Sendable (SessionEvent) -> Void) -> any PodSession
}
