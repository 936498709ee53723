import ClusterModel
import PodRuntime
import Testing

struct PodMachineTests {
    private let ready: JSONValue = ["readinessProbe": ["tcpSocket": ["port": 80], "periodSeconds": 1, "failureThreshold": 1]]

    /// A machine whose containers have all been started at second 0.
    private func running(_ pod: Pod) -> PodMachine {
        var machine = PodMachine(pod)
        for action in machine.handle(.prepared, at: .at(0)) {
            if case .start(let index) = action { _ = machine.handle(.started(index, pid: 100 + Int32(index)), at: .at(0)) }
        }
        return machine
    }

    @Test("Init containers run one after the other, before the containers")
    func initOrder() {
        var machine = PodMachine(
            .fixture(spec: ["initContainers": [["name": "one", "image": "i"], ["name": "two", "image": "i"]]]))
        #expect(machine.handle(.prepared, at: .at(0)) == [.statusChanged, .start(0)])
        _ = machine.handle(.started(0, pid: 1), at: .at(0))
        #expect(machine.handle(.ended(0, .code(0)), at: .at(1)).contains(.start(1)))
        _ = machine.handle(.started(1, pid: 2), at: .at(1))
        let last = machine.handle(.ended(1, .code(0)), at: .at(2))
        #expect(last.contains(.start(2)))
        #expect(!last.contains(.start(0)))
    }

    @Test("A failed init container is repeated, and nothing after it starts")
    func initFailure() {
        var machine = PodMachine(.fixture(spec: ["initContainers": [["name": "one", "image": "i"]]]))
        _ = machine.handle(.prepared, at: .at(0))
        _ = machine.handle(.started(0, pid: 1), at: .at(0))
        let actions = machine.handle(.ended(0, .code(3)), at: .at(1))
        #expect(actions.contains(.start(0)))
        #expect(!actions.contains(.start(1)))
    }

    @Test("A container that ends starts again: at once, then after 10, 20, 40 s")
    func backOff() {
        var machine = running(.fixture())
        var waits: [Duration] = []
        var time = 1.0
        for pid in 0..<4 {
            let actions = machine.handle(.ended(0, .signal(9)), at: .at(time))
            if actions.contains(.start(0)) {
                waits.append(.zero)
            } else if let deadline = machine.deadline {
                waits.append(deadline - Moment.at(time).elapsed)
                time += Double(waits[waits.count - 1].components.seconds)
                #expect(machine.handle(.time, at: .at(time)) == [.start(0)])
            }
            _ = machine.handle(.started(0, pid: 200 + Int32(pid)), at: .at(time))
            time += 1
        }
        #expect(waits == [.zero, .seconds(10), .seconds(20), .seconds(40)])
        #expect(machine.containers[0].restartCount == 4)
    }

    @Test(
        "restartPolicy decides whether an ended container starts again",
        arguments: [("Always", 0, true), ("Always", 1, true), ("OnFailure", 0, false), ("OnFailure", 1, true), ("Never", 1, false)])
    func restartPolicy(policy: String, code: Int32, again: Bool) {
        var machine = running(.fixture(spec: ["restartPolicy": .string(policy)]))
        #expect(machine.handle(.ended(0, .code(code)), at: .at(1)).contains(.start(0)) == again)
    }

    @Test("4.7: a container is ready only while its probe says so; a result of an earlier run is not taken")
    func readiness() {
        var machine = running(.fixture(container: ready.objectValue ?? [:]))
        #expect(!machine.containers[0].isReady)
        let actions = machine.handle(.time, at: .at(0.03))
        #expect(actions == [.probe(0, .readiness, generation: 1)])
        #expect(machine.handle(.probed(0, .readiness, generation: 1, .success), at: .at(0.04)) == [.statusChanged])
        #expect(machine.containers[0].isReady)
        _ = machine.handle(.ended(0, .code(1)), at: .at(1))
        _ = machine.handle(.started(0, pid: 7), at: .at(1))
        #expect(machine.handle(.probed(0, .readiness, generation: 1, .success), at: .at(1.1)) == [])
        #expect(!machine.containers[0].isReady)
    }

    @Test("A failed liveness probe ends the container: SIGTERM, then SIGKILL after the grace period")
    func liveness() {
        let pod = Pod.fixture(
            spec: ["terminationGracePeriodSeconds": 5],
            container: ["livenessProbe": ["tcpSocket": ["port": 1], "periodSeconds": 1, "failureThreshold": 1]])
        var machine = running(pod)
        _ = machine.handle(.time, at: .at(0))
        let actions = machine.handle(.probed(0, .liveness, generation: 1, .failure("refused")), at: .at(0.1))
        #expect(actions.contains(.signal(0, pid: 100, number: 15)))
        #expect(machine.handle(.time, at: .at(5.2)).contains(.signal(0, pid: 100, number: 9)))
        #expect(machine.handle(.ended(0, .signal(9)), at: .at(5.3)).contains(.start(0)))
    }

    @Test("4.2: until the startup probe has passed, no other probe runs")
    func startup() {
        let pod = Pod.fixture(container: [
            "startupProbe": ["tcpSocket": ["port": 1]], "livenessProbe": ["tcpSocket": ["port": 1]],
            "readinessProbe": ["tcpSocket": ["port": 1]],
        ])
        var machine = running(pod)
        #expect(machine.handle(.time, at: .at(0.03)) == [.probe(0, .startup, generation: 1)])
        let next = machine.handle(.probed(0, .startup, generation: 1, .success), at: .at(0.05))
        #expect(next.contains(.probe(0, .liveness, generation: 1)))
        #expect(next.contains(.probe(0, .readiness, generation: 1)))
    }

    @Test("Termination sends SIGTERM, waits for the grace period, and finishes once; a shorter grace counts")
    func termination() {
        var machine = running(.fixture())
        #expect(machine.handle(.terminate(grace: .seconds(30)), at: .at(1)) == [.statusChanged, .signal(0, pid: 100, number: 15)])
        #expect(machine.deadline == .seconds(31))
        _ = machine.handle(.terminate(grace: .seconds(2)), at: .at(1))
        #expect(machine.deadline == .seconds(3))
        #expect(machine.handle(.time, at: .at(3)) == [.signal(0, pid: 100, number: 9)])
        #expect(machine.handle(.ended(0, .signal(9)), at: .at(3.1)) == [.statusChanged, .finished])
        #expect(machine.handle(.time, at: .at(9)) == [])
    }

    @Test("A pod that is ended while its container is being started is killed as soon as it has started")
    func terminationDuringStart() {
        var machine = PodMachine(.fixture())
        _ = machine.handle(.prepared, at: .at(0))
        #expect(!machine.handle(.terminate(grace: .zero), at: .at(0)).contains(.finished))
        #expect(machine.handle(.started(0, pid: 5), at: .at(1)).contains(.signal(0, pid: 5, number: 9)))
        #expect(machine.handle(.ended(0, .signal(9)), at: .at(1)).contains(.finished))
    }

    @Test("4.6: conditions carry the reasons of the kubelet, and keep their time while they do not change")
    func conditions() {
        var machine = running(.fixture(spec: ["readinessGates": [["conditionType": "x/y"]]], container: ready.objectValue ?? [:]))
        func document(at second: Double, _ previous: JSONValue?) -> JSONValue {
            PodStatus.document(of: machine, facts: nil, startTime: .at(0), previous: previous, at: .at(second))
        }
        func condition(_ type: String, in status: JSONValue) -> JSONValue? {
            status["conditions"]?.arrayValue?.first { $0["type"]?.stringValue == type }
        }
        let first = document(at: 1, nil)
        #expect(condition("ContainersReady", in: first)?["reason"]?.stringValue == "ContainersNotReady")
        #expect(condition("Ready", in: first)?["message"]?.stringValue == "containers with unready status: [app]")
        _ = machine.handle(.time, at: .at(1))
        _ = machine.handle(.probed(0, .readiness, generation: 1, .success), at: .at(2))
        let second = document(at: 2, first)
        #expect(condition("ContainersReady", in: second)?["status"]?.stringValue == "True")
        #expect(
            condition("Ready", in: second)?["message"]?.stringValue
                == "corresponding condition of pod readiness gate \"x/y\" does not exist.")
        let initialized = condition("Initialized", in: second)
        #expect(initialized?["lastTransitionTime"] == condition("Initialized", in: first)?["lastTransitionTime"])
    }
}
