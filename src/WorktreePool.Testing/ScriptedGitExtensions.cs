using WorktreePool.DependencyInjection;

namespace WorktreePool.Testing;

/// <summary>Puts a <see cref="ScriptedGitBackend"/> under a pool.</summary>
public static class ScriptedGitExtensions
{
    /// <summary>Uses a git in memory, which the test keeps and may share between pools.</summary>
    /// <param name="builder">The pool.</param>
    /// <param name="backend">The git.</param>
    public static WorktreePoolBuilder UseScriptedGit(this WorktreePoolBuilder builder, ScriptedGitBackend backend)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(backend);
        return builder.UseBackend((_, _) => backend).UseSetUpRunner((_, _) => backend);
    }
}
