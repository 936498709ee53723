import ClusterModel
import PodRuntime
import Testing

struct ProbeMachineTests {
    /// Runs the probe through all its attempts until `end`, and returns when its result changed, and to what.
    private func changes(
        _ kind: ProbeKind, _ probe: Probe, until end: Double, healthy: (Double) -> Bool
    ) -> [String] {
        var machine = ProbeMachine(kind, probe, startedAt: .zero)
        var found: [String] = []
        while let due = machine.deadline, due <= .milliseconds(Int64(end * 1000)) {
            machine.begin()
            let seconds = Double(due.components.seconds) + Double(due.components.attoseconds) / 1e18
            if machine.finish(healthy(seconds) ? .success : .failure("no"), at: due) {
                found.append("\(seconds): \(machine.isGood)")
            }
        }
        return found
    }

    private func probe(delay: Int = 0, period: Int = 10, success: Int = 1, failure: Int = 3) -> Probe {
        Probe(
            handler: .exec(command: []), initialDelaySeconds: delay, periodSeconds: period, successThreshold: success,
            failureThreshold: failure)
    }

    @Test("4.8: period 5, success 2, failure 3, delay 10: ready at 15, unready at 35, ready again at 45")
    func vector() {
        let found = changes(.readiness, probe(delay: 10, period: 5, success: 2, failure: 3), until: 50) { time in
            time < 21 || time > 36
        }
        #expect(found == ["15.0: true", "35.0: false", "45.0: true"])
    }

    @Test("4.8: with failureThreshold 1 one failed tick is enough")
    func oneFailure() {
        let found = changes(.readiness, probe(delay: 1, period: 1, failure: 1), until: 6) { $0 < 3 || $0 > 3.5 }
        #expect(found == ["1.0: true", "3.0: false", "4.0: true"])
    }

    @Test("4.3: a mixed result starts the run anew")
    func mixedRun() {
        let found = changes(.readiness, probe(delay: 1, period: 1, failure: 3), until: 10) { time in
            ![3, 4, 6, 7].contains(time)
        }
        #expect(found == ["1.0: true"])
    }

    @Test("A readiness probe without delay is tried early until it first succeeds, and failures there count as nothing")
    func earlyAttempts() {
        var attempts: [Double] = []
        let found = changes(.readiness, probe(period: 10, failure: 1), until: 10.5) { time in
            attempts.append(time)
            return time >= 0.2
        }
        #expect(attempts == [0.03, 0.06, 0.12, 0.24, 10])
        #expect(found == ["0.24: true"])
    }

    @Test("4.2: liveness starts good, and each full run of failures is a change")
    func liveness() {
        let found = changes(.liveness, probe(period: 1, failure: 2), until: 4) { _ in false }
        #expect(found == ["1.0: false", "3.0: false"])
    }

    @Test("4.3: an internal error of the probe counts as nothing")
    func discarded() {
        var machine = ProbeMachine(.readiness, probe(delay: 1, period: 1, failure: 1), startedAt: .zero)
        machine.begin()
        let first = machine.finish(.success, at: .seconds(1))
        machine.begin()
        let second = machine.finish(.discarded("?"), at: .seconds(2))
        #expect([first, second] == [true, false])
        #expect(machine.isGood)
        #expect(machine.deadline == .seconds(3))
    }

    @Test("An attempt that takes longer than a period skips the ticks in between")
    func slowAttempt() {
        var machine = ProbeMachine(.liveness, probe(period: 1), startedAt: .zero)
        machine.begin()
        _ = machine.finish(.success, at: .milliseconds(3500))
        #expect(machine.deadline == .seconds(4))
    }
}
