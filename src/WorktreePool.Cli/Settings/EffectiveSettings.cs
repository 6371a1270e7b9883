namespace WorktreePool.Cli.Settings;

/// <summary>What the settings amount to: the pool's options, and where its state is.</summary>
/// <param name="pool">The pool's options, which the settings are put into.</param>
internal sealed class EffectiveSettings(WorktreePoolOptions pool)
{
    public EffectiveSettings() : this(new WorktreePoolOptions())
    {
    }

    public WorktreePoolOptions Pool => pool;

    public StoreSettings Store { get; } = new();
}
