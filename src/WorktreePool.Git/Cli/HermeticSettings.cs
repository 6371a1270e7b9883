namespace WorktreePool.Git.Cli;

/// <summary>What makes a git call hermetic; each line takes away one way in which a holder's leavings could run, hide or redirect something.</summary>
internal static class HermeticSettings
{
    /// <summary>For every call.</summary>
    public static readonly IReadOnlyDictionary<string, string> Environment = new Dictionary<string, string>
    {
        ["LC_ALL"] = "C",
        ["GIT_CONFIG_NOSYSTEM"] = "1",
        ["GIT_CONFIG_SYSTEM"] = "/dev/null",
        ["GIT_CONFIG_GLOBAL"] = "/dev/null",
        ["GIT_ATTR_NOSYSTEM"] = "1",
        ["GIT_TERMINAL_PROMPT"] = "0",
        ["GIT_ASKPASS"] = "true",
        ["GIT_SSH_COMMAND"] = "ssh -oBatchMode=yes",
        ["GIT_EDITOR"] = "true",
        ["GIT_SEQUENCE_EDITOR"] = "true",
        ["GIT_PAGER"] = "cat",
        ["GIT_OPTIONAL_LOCKS"] = "0",
        ["GIT_NO_REPLACE_OBJECTS"] = "1",
        ["GIT_GRAFT_FILE"] = "/dev/null",
        ["GIT_NO_LAZY_FETCH"] = "1",
    };

    /// <summary>Over whatever a config file says.</summary>
    public static readonly IReadOnlyList<KeyValuePair<string, string>> Settings =
    [
        new("core.hooksPath", "/dev/null"),
        new("core.fsmonitor", "false"),
        new("core.untrackedCache", "false"),
        new("core.splitIndex", "false"),
        new("core.sparseCheckout", "false"),
        new("core.sparseCheckoutCone", "false"),
        new("index.sparse", "false"),

        // Without its checksum nobody could tell an index from what a power loss left of one.
        new("index.skipHash", "false"),
        new("core.ignoreStat", "false"),
        new("core.trustctime", "true"),
        new("core.checkStat", "default"),
        new("core.excludesFile", "/dev/null"),
        new("core.attributesFile", "/dev/null"),
        new("core.useReplaceRefs", "false"),

        // Made from objects to be quicker, and believed in their place: one that lies would give a commit another tree or other parents.
        new("core.commitGraph", "false"),
        new("core.multiPackIndex", "false"),
        new("pack.useBitmaps", "false"),

        // Else git looks a full commit id up among the refs, and the real ones: it does not let them be replaced by GIT_COMMON_DIR.
        new("core.warnAmbiguousRefs", "false"),
        new("core.logAllRefUpdates", "false"),
        new("gc.auto", "0"),
        new("gc.autoDetach", "false"),
        new("maintenance.auto", "false"),
        new("submodule.recurse", "false"),
        new("fetch.recurseSubmodules", "false"),
        new("core.editor", "true"),
        new("core.alternateRefsCommand", "true"),
        new("protocol.ext.allow", "never"),
        new("advice.detachedHead", "false"),
        new("advice.graftFileDeprecated", "false"),
        new("core.longpaths", "true"),
    ];

    /// <summary>A ref is on the disk before it has its name: else a power loss may leave an empty file, which git calls broken and does not write over. From git 2.36 on.</summary>
    public static readonly KeyValuePair<string, string> DurableRefs = new("core.fsync", "reference");

    /// <summary>How files are written, where the trusted baseline does not say otherwise.</summary>
    public static readonly IReadOnlyList<KeyValuePair<string, string>> Checkout = OperatingSystem.IsWindows()
        ? []
        : [new("core.fileMode", "true"), new("core.symlinks", "true"), new("core.ignoreCase", OperatingSystem.IsMacOS() ? "true" : "false")];
}
