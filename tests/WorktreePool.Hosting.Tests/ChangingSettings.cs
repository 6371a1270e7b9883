using Microsoft.Extensions.Configuration;

namespace WorktreePool.Hosting.Tests;

/// <summary>A source of settings that can be changed while the host runs, as a file that is watched.</summary>
internal sealed class ChangingSettings : ConfigurationProvider, IConfigurationSource
{
    public IConfigurationProvider Build(IConfigurationBuilder builder) => this;

    public void Change(params (string Name, string? Value)[] settings)
    {
        foreach ((string name, string? value) in settings)
        {
            Set(name, value);
        }

        OnReload();
    }

    public override string ToString() => "changing.json";
}
