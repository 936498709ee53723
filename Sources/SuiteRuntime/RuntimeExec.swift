import ClusterAPI
import ClusterModel
import PodRuntime

/// Lets the API run programs in the pods of the runtime.
struct RuntimeExec: PodExec {
    private let runtime: PodRuntime

    init(_ runtime: PodRuntime) { self.runtime = runtime }

    func start(
        _ command: [String], in pod: Pod, container: String, hasInput: Bool, hasTerminal: Bool,
        report: @escaping @Sendable (ExecEvent) -> Void
    ) -> any ExecSession {
        let request = ExecRequest(command: command, hasInput: hasInput, hasTerminal: hasTerminal) { event in
            switch event {
            case .output(let bytes, let isError): report(.output(bytes, isError: isError))
            case .ended(let code): report(.ended(code: code))
            case .failed(let reason): report(.failed(reason))
            }
        }
        runtime.exec(request, in: pod.object.key, container: container)
        return Session(request: request)
    }

    private struct Session: ExecSession {
        let request: ExecRequest

        func write(_ bytes: [UInt8]) { request.write(bytes) }
        func closeInput() { request.closeInput() }
        func resize(columns: UInt16, rows: UInt16) { request.resize(columns: columns, rows: rows) }
        func cancel() { request.cancel() }
    }
}
