import ClusterModel
import PodRuntime
import Testing

struct PodMachineTests {
    private let ready: JSONValue = [
        "readinessProbe": ["tcpSocket": ["port": 80], "periodSeconds": 1, "failureThreshold": 1]
    ]

    /// A machine whose containers have all been started at second 0.
    private func running(_ pod: Pod) -> PodMachine {
        var machine = PodMachine(pod)
        for action in machine.handle(.prepared, at: .at(0)) {
            if case .start(let index) = action {
                _ = machine.handle(.started(index, pid: 100 + Int32(index)), at: .at(0))
            }
        }
        return machine
    }

    @Test("Init containers run one after the other, before the containers")
    func initOrder() {
        var machine = PodMachine(
            .fixture(spec: ["initContainers": [["name": "one", "image": "i"], ["name": "two", "image": "i"]]]))
        let step1 = machine.handle(.prepared, at: .at(0))
        #expect(step1 == [.statusChanged, .start(0)])
        _ = machine.handle(.started(0, pid: 1), at: .at(0))
        let step2 = machine.handle(.ended(0, .code(0)), at: .at(1))
        #expect(step2.contains(.start(1)))
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
                let step3 = machine.handle(.time, at: .at(time))
                #expect(step3 == [.start(0)])
            }
            _ = machine.handle(.started(0, pid: 200 + Int32(pid)), at: .at(time))
            time += 1
        }
        #expect(waits == [.zero, .seconds(10), .seconds(20), .seconds(40)])
        #expect(machine.containers[0].restartCount == 4)
    }

    @Test(
        "restartPolicy decides whether an ended container starts again",
        arguments: [
            ("Always", 0, true), ("Always", 1, true), ("OnFailure", 0, false), ("OnFailure", 1, true),
            ("Never", 1, false),
        ])
    func restartPolicy(policy: String, code: Int32, again: Bool) {
        var machine = running(.fixture(spec: ["restartPolicy": .string(policy)]))
        let step4 = machine.handle(.ended(0, .code(code)), at: .at(1))
        #expect(step4.contains(.start(0)) == again)
    }

    @Test("4.7: a container is ready only while its probe says so; a result of an earlier run is not taken")
    func readiness() {
        var machine = running(.fixture(container: ready.objectValue ?? [:]))
        #expect(!machine.containers[0].isReady)
        let actions = machine.handle(.time, at: .at(0.03))
        #expect(actions == [.probe(0, .readiness, generation: 1)])
        let step5 = machine.handle(.probed(0, .readiness, generation: 1, .success), at: .at(0.04))
        #expect(step5 == [.statusChanged])
        #expect(machine.containers[0].isReady)
        _ = machine.handle(.ended(0, .code(1)), at: .at(1))
        _ = machine.handle(.started(0, pid: 7), at: .at(1))
        let step6 = machine.handle(.probed(0, .readiness, generation: 1, .success), at: .at(1.01))
        #expect(step6 == [])
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
        let step7 = machine.handle(.time, at: .at(5.2))
        #expect(step7.contains(.signal(0, pid: 100, number: 9)))
        let step8 = machine.handle(.ended(0, .signal(9)), at: .at(5.3))
        #expect(step8.contains(.start(0)))
    }

    @Test("4.2: until the startup probe has passed, no other probe runs")
    func startup() {
        let pod = Pod.fixture(container: [
            "startupProbe": ["tcpSocket": ["port": 1]], "livenessProbe": ["tcpSocket": ["port": 1]],
            "readinessProbe": ["tcpSocket": ["port": 1]],
        ])
        var machine = running(pod)
        let step9 = machine.handle(.time, at: .at(0.03))
        #expect(step9 == [.probe(0, .startup, generation: 1)])
        let next = machine.handle(.probed(0, .startup, generation: 1, .success), at: .at(0.05))
        #expect(next.contains(.probe(0, .liveness, generation: 1)))
        #expect(next.contains(.probe(0, .readiness, generation: 1)))
    }

    @Test("Termination sends SIGTERM, waits for the grace period, and finishes once; a shorter grace counts")
    func termination() {
        var machine = running(.fixture())
        let step10 = machine.handle(.terminate(grace: .seconds(30)), at: .at(1))
        let killing = PodMachine.Action.note(
            isWarning: false, reason: "Killing", message: "Stopping container app")
        #expect(step10 == [.statusChanged, killing, .signal(0, pid: 100, number: 15)])
        #expect(machine.deadline == .seconds(31))
        _ = machine.handle(.terminate(grace: .seconds(2)), at: .at(1))
        #expect(machine.deadline == .seconds(3))
        let step11 = machine.handle(.time, at: .at(3))
        #expect(step11 == [.signal(0, pid: 100, number: 9)])
        let step12 = machine.handle(.ended(0, .signal(9)), at: .at(3.1))
        #expect(step12 == [.statusChanged, .finished])
        let step13 = machine.handle(.time, at: .at(9))
        #expect(step13 == [])
    }

    @Test("A pod that is ended while its container is being started is killed as soon as it has started")
    func terminationDuringStart() {
        var machine = PodMachine(.fixture())
        _ = machine.handle(.prepared, at: .at(0))
        let step14 = machine.handle(.terminate(grace: .zero), at: .at(0))
        #expect(!step14.contains(.finished))
        let step15 = machine.handle(.started(0, pid: 5), at: .at(1))
        #expect(step15.contains(.signal(0, pid: 5, number: 9)))
        let step16 = machine.handle(.ended(0, .signal(9)), at: .at(1))
        #expect(step16.contains(.finished))
    }

    @Test("4.6: conditions carry the reasons of the kubelet, and keep their time while they do not change")
    func conditions() {
        var machine = running(
            .fixture(spec: ["readinessGates": [["conditionType": "x/y"]]], container: ready.objectValue ?? [:]))
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

    // MARK: Deadlines and hooks

    @Test("[sig-node] Pods should allow activeDeadlineSeconds to be updated: then the pod has failed, and stays so")
    func activeDeadline() {
        var machine = running(.fixture())
        #expect(machine.deadline == nil)
        _ = machine.handle(.limit(.seconds(5)), at: .at(1))
        #expect(machine.deadline == .seconds(5))
        let late = machine.handle(.time, at: .at(5))
        #expect(late.contains(.signal(0, pid: 100, number: 15)) && late.contains(.statusChanged))
        let after = machine.handle(.ended(0, .signal(15)), at: .at(6))
        #expect(!after.contains(.start(0)) && !after.contains(.finished))
        let status = PodStatus.document(of: machine, facts: nil, startTime: .at(0), previous: nil, at: .at(6))
        #expect(status["phase"] == "Failed" && status["reason"] == "DeadlineExceeded")
        #expect(machine.handle(.terminate(grace: .seconds(1)), at: .at(7)).contains(.finished))
    }

    @Test(
        "[sig-node] Container Lifecycle Hook: a container is started once postStart is done, and killed if that fails")
    func postStart() {
        let hook: [String: JSONValue] = ["lifecycle": ["postStart": ["exec": ["command": ["true"]]]]]
        var machine = PodMachine(.fixture(container: hook))
        _ = machine.handle(.prepared, at: .at(0))
        let started = machine.handle(.started(0, pid: 100), at: .at(0))
        #expect(started.contains(.hook(0, .postStart, generation: 1, limit: nil)))
        #expect(!machine.containers[0].isReady)
        var good = machine
        _ = good.handle(.hookEnded(0, .postStart, generation: 1, failure: nil), at: .at(1))
        #expect(good.containers[0].isReady)
        let failed = machine.handle(.hookEnded(0, .postStart, generation: 1, failure: "no"), at: .at(1))
        #expect(
            failed.contains(.note(isWarning: true, reason: "FailedPostStartHook", message: "PostStartHook failed: no")))
        #expect(failed.contains(.signal(0, pid: 100, number: 15)))
    }

    @Test("[sig-node] Container Lifecycle Hook: SIGTERM comes after preStop, and SIGKILL in time whatever that does")
    func preStop() {
        let hook: [String: JSONValue] = ["lifecycle": ["preStop": ["sleep": ["seconds": 3]]]]
        var machine = running(.fixture(container: hook))
        let first = machine.handle(.terminate(grace: .seconds(10)), at: .at(1))
        #expect(first.contains(.hook(0, .preStop, generation: 1, limit: .seconds(10))))
        #expect(!first.contains(.signal(0, pid: 100, number: 15)))
        var slow = machine
        let next = machine.handle(.hookEnded(0, .preStop, generation: 1, failure: nil), at: .at(4))
        #expect(next == [.signal(0, pid: 100, number: 15)])
        #expect(slow.handle(.time, at: .at(11)) == [.signal(0, pid: 100, number: 9)])
        // Without any grace there is no hook.
        var hasty = running(.fixture(container: hook))
        #expect(hasty.handle(.terminate(grace: .zero), at: .at(1)).contains(.signal(0, pid: 100, number: 9)))
    }
}
