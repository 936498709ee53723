import ClusterAPI
import ClusterModel
import PodRuntime

/// Lets the API start programs in the pods of the runtime, and join those that run.
struct RuntimeSessions: PodSessions {
    private let runtime: PodRuntime

    init(_ runtime: PodRuntime) { self.runtime = runtime }

    func open(_ request: SessionRequest, report: @escaping @Sendable (SessionEvent) -> Void) -> any PodSession {
        let key = request.pod.object.key
        switch request.program {
        case .command(let command, let hasTerminal):
            let exec = ExecRequest(
                command: command, hasInput: request.hasInput || hasTerminal, hasTerminal: hasTerminal
            ) { event in
                switch event {
                case .started: report(.started)
                case .output(let bytes, let isError): report(.output(bytes, isError: isError))
                case .ended(let code): report(.ended(code: code))
                case .failed(let reason): report(.failed(reason))
                }
            }
            runtime.exec(exec, in: key, container: request.container)
            return exec
        case .container:
            let attach = AttachRequest(hasInput: request.hasInput) { event in
                switch event {
                case .started: report(.started)
                case .output(let bytes, let isError): report(.output(bytes, isError: isError))
                // How the container has ended is told by the pod's status.
                case .ended: report(.ended(code: 0))
                case .failed(let reason): report(.failed(reason))
                }
            }
            runtime.attach(attach, to: key, container: request.container)
            return attach
        }
    }
}

extension ExecRequest: PodSession {}
extension AttachRequest: PodSession {}
