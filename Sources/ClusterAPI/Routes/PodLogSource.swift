package import ClusterModel

/// Which part of a container's log is wanted.
package struct PodLogOptions: Sendable {
    package var container: String
    package var follows = false
    /// The last so many lines; nil for all.
    package var tailLines: Int?
    /// Seconds since 1970; older lines are left out.
    package var since: Int64?
    package var hasTimestamps = false
    /// Of the container's run before the present one.
    package var isPrevious = false
    package var limitBytes: Int?

    package init(container: String) { self.container = container }
}

/// Where the logs of pods are.
package protocol PodLogSource: Sendable {
    /// The log, as it is and, with `follows`, as it becomes until the container ends.
    ///
    /// - Throws: when there is no such log.
    func log(of pod: Pod, _ options: PodLogOptions) throws(APIError) -> AsyncStream<[UInt8]>
}
