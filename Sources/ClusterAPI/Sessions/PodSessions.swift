package import ClusterModel

/// What a program that runs beside a container does.
package enum ExecEvent: Sendable {
    case output([UInt8], isError: Bool)
    case ended(code: Int32)
    /// It could not be started.
    case failed(String)
}

/// A program that runs beside a container, as the API steers it.
package protocol ExecSession: Sendable {
    /// May wait while the program does not read.
    func write(_ bytes: [UInt8])
    func closeInput()
    func resize(columns: UInt16, rows: UInt16)
    func cancel()
}

/// Runs programs in pods: `kubectl exec`.
package protocol PodExec: Sendable {
    /// Starts one; everything that becomes of it is reported in order, on any thread.
    func start(
        _ command: [String], in pod: Pod, container: String, hasInput: Bool, hasTerminal: Bool,
        report: @escaping @Sendable (ExecEvent) -> Void
    ) -> any ExecSession
}
