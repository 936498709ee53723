/// Everything needed to start one process of a container.
package struct ProcessSpec: Sendable {
    /// A file or folder of this machine that the process sees at another path.
    package struct Bind: Sendable, Equatable {
        package let source: String
        package let target: String
        package var isReadOnly = false
        /// With what is mounted below it.
        package var isRecursive = false
        /// Left out if the kernel refuses it.
        package var isOptional = false
        /// The mount point that is made for it is a file, not a folder.
        package var isFile = false
        /// What is written there is the process's own, as in the rest of its file system; where the kernel refuses that, it is
        /// the machine's.
        package var isLayered = false
        /// Left out where the mount point would be left behind in a layered folder that had to stay the machine's.
        package var isInLayer = false

        package init(source: String, target: String) {
            self.source = source
            self.target = target
        }
    }

    /// The program's path, absolute.
    package var program: String
    /// What the program is told it is called; nil for its path.
    package var name: String?
    /// Its arguments, without the program's own name.
    package var arguments: [String]
    /// The whole environment; later entries of the same name win.
    package var environment: [(name: String, value: String)]
    package var directory: String?
    /// The host name in a UTS namespace of its own; nil leaves the machine's (needs root).
    package var hostname: String?
    /// Mounted in a mount namespace of its own (needs root).
    package var binds: [Bind] = []
    /// An empty folder in which a file system of the process's own is put together.
    ///
    /// It has the machine's files below a layer that takes what is written and goes with it. The process is also the first one of a process namespace. Needs root.
    package var root: String?
    /// Runs in the namespaces of this process: what ``binds``, ``root`` and ``hostname`` say was done for that one.
    package var joined: Int32?
    /// Only tries whether the namespaces can be made: the process ends at once with code 0.
    package var isTrial = false

    package init(
        program: String, arguments: [String] = [], environment: [(name: String, value: String)] = [],
        directory: String? = nil
    ) {
        self.program = program
        self.arguments = arguments
        self.environment = environment
        self.directory = directory
    }
}

/// Where a process's standard streams lead.
///
/// The host closes the descriptors that are handed over here once the process has them.
package enum ProcessStreams: Sendable {
    /// Output and errors to the host; input from a descriptor, or from nowhere.
    case pipes(input: Int32?)
    /// All three a terminal: `slave` for the process, `master` for the host to read from.
    case terminal(master: Int32, slave: Int32)
}

/// How a process ended.
package enum ProcessExit: Equatable, Sendable {
    case code(Int32)
    case signal(Int32)

    /// The number that a container status shows: signals count from 128 up, as in a shell.
    package var containerExitCode: Int32 {
        switch self {
        case .code(let code): code
        case .signal(let signal): 128 + signal
        }
    }
}

/// Why a process could not be started.
package struct SpawnError: Error, Equatable, CustomStringConvertible {
    package enum Stage: Int32, Sendable {
        case fork = 1
        case namespace
        case directory
        case exec
        case mount
    }
    package let program: String
    package let stage: Stage
    /// The kernel's error number.
    package let number: Int32
    /// The kernel's text for `number`, in lower case as container runtimes print it.
    package let reason: String

    package var description: String {
        switch stage {
        case .fork: "cannot start a process for \(program): \(reason)"
        case .namespace: "cannot make a namespace for \(program): \(reason)"
        case .mount: "cannot mount the files of \(program): \(reason)"
        case .directory: "cannot enter the working directory of \(program): \(reason)"
        case .exec: "exec \(program): \(reason)"
        }
    }
}

/// Where a process's output goes; called on the runtime's process thread, so it must not wait.
package protocol ProcessOutput: AnyObject, Sendable {
    /// Bytes as they came, cut anywhere.
    func write(_ bytes: UnsafeRawBufferPointer, isError: Bool)
    /// Nothing more will come.
    func close()
}
