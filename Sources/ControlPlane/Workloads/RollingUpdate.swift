/// How many replicas the new and the old ReplicaSets of a Deployment get next (Kubernetes's rolling update).
///
/// A value of one moment: it is asked again after each change.
struct RollingUpdate: Equatable {
    /// One ReplicaSet of an earlier template.
    struct Old: Equatable {
        var replicas: Int
        var available: Int
    }

    /// Replicas that are wanted in all.
    let desired: Int
    /// How many more than that there may be for a while.
    let maxSurge: Int
    /// How many of those may be missing for a while.
    let maxUnavailable: Int

    /// - Parameters:
    ///   - maxSurge: a number or a percentage, rounded up.
    ///   - maxUnavailable: a number or a percentage, rounded down; 1 if both come out as 0.
    init(desired: Int, maxSurge: Share, maxUnavailable: Share) {
        self.desired = desired
        let surge = maxSurge.count(of: desired, roundsUp: true)
        let missing = maxUnavailable.count(of: desired, roundsUp: false)
        self.maxSurge = surge
        self.maxUnavailable = surge == 0 && missing == 0 ? 1 : min(missing, desired)
    }

    /// The next sizes.
    ///
    /// - Parameters:
    ///   - new: replicas of the present template that are asked for now, and how many of them are available.
    ///   - olds: the others, oldest first.
    func step(new: Old, olds: [Old]) -> (new: Int, olds: [Int]) {
        let total = new.replicas + olds.reduce(0) { $0 + $1.replicas }
        var next = new.replicas
        if new.replicas > desired {
            next = desired
        } else if new.replicas < desired {
            next += max(0, min(desired - new.replicas, desired + maxSurge - total))
        }
        var sizes = olds.map(\.replicas)
        let minAvailable = desired - maxUnavailable
        let newUnavailable = max(0, new.replicas - new.available)
        var removable = max(0, total - minAvailable - newUnavailable)
        // What does not work may go first; it helps nobody.
        for index in olds.indices where removable > 0 {
            let broken = min(removable, max(0, olds[index].replicas - olds[index].available))
            sizes[index] -= broken
            removable -= broken
        }
        let available = new.available + olds.reduce(0) { $0 + $1.available }
        var spare = max(0, min(removable, available - minAvailable))
        for index in olds.indices where spare > 0 {
            let gone = min(spare, sizes[index])
            sizes[index] -= gone
            spare -= gone
        }
        return (next, sizes)
    }

    /// A number, or a part of the replicas.
    enum Share: Equatable {
        case number(Int)
        case percent(Int)

        /// `2`, `"2"` or `"25%"`; nil for anything else.
        init?(_ text: String) {
            if text.hasSuffix("%") {
                guard let percent = Int(text.dropLast()), percent >= 0 else { return nil }
                self = .percent(percent)
            } else {
                guard let number = Int(text), number >= 0 else { return nil }
                self = .number(number)
            }
        }

        func count(of total: Int, roundsUp: Bool) -> Int {
            switch self {
            case .number(let number): number
            case .percent(let percent): (total * percent + (roundsUp ? 99 : 0)) / 100
            }
        }
    }
}
