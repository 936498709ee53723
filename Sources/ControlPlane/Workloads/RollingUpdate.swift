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

    /// The sizes of ReplicaSets among which a change of the wanted number is shared out while a rollout is on: each keeps its
    /// part of the whole.
    ///
    /// - Parameter sets: those that have replicas, the newest first.
    func shared(among sets: [Sharer]) -> [Int] {
        let total = sets.reduce(0) { $0 + $1.replicas }
        let wanted = desired > 0 ? desired + maxSurge : 0
        let missing = wanted - total
        var sizes = sets.map(\.replicas)
        // The largest are served first; of two with the same size the newer one when there is more, the older one otherwise.
        let order = sets.indices.sorted { left, right in
            if sets[left].replicas != sets[right].replicas { return sets[left].replicas > sets[right].replicas }
            return missing > 0 ? left < right : left > right
        }
        var given = 0
        for index in order where missing != 0 {
            let share = sets[index].share(of: wanted)
            let rest = missing - given
            let part = missing > 0 ? max(0, min(share, rest)) : min(0, max(share, rest))
            sizes[index] += part
            given += part
        }
        if let first = order.first { sizes[first] = max(0, sizes[first] + missing - given) }
        return sizes
    }

    /// A ReplicaSet that takes part in a change of size.
    struct Sharer: Equatable {
        let replicas: Int
        /// Replicas that there might be in all when this number was set.
        let most: Int

        /// What it gets, or gives when that is negative, of `wanted` replicas in all.
        fileprivate func share(of wanted: Int) -> Int {
            guard most > 0 else { return 0 }
            return Int((Double(replicas * wanted) / Double(most)).rounded()) - replicas
        }
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
