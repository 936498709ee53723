/// Waits for something that another process does and that no event tells of.
///
/// Looks every 20 ms, so a test takes as long as the thing itself; the limit only ends a test that fails.
package func eventually(
    within limit: Duration = .seconds(20), _ condition: () async throws -> Bool
) async rethrows -> Bool {
    let end = ContinuousClock.now + limit
    while ContinuousClock.now < end {
        if try await condition() { return true }
        try? await Task.sleep(for: .milliseconds(20))
    }
    return try await condition()
}
