using System.Text.RegularExpressions;

namespace WorktreePool.Tests.Architecture;

/// <summary>What no file of the repository may have.</summary>
public sealed class RepositoryTests
{
    [Fact]
    public void Packages_come_from_the_machines_own_source_whatever_its_address_is()
    {
        string config = Sources.Read("nuget.config");
        config.Should().NotMatchRegex(@"https?:|://|<add\s|<packageSources>");
        config.Should().Contain("packageSourceMapping").And.Contain("nuget.org");
    }

    [Fact]
    public void No_file_names_a_place_of_one_machine()
    {
        // A home or a working directory; built from parts, so that this file passes its own test.
        var place = new Regex($@"(?<![\w.$}}])/({string.Join('|', "home", "root", "Users", "work")})/[A-Za-z0-9._-]+|\b[A-Z]:\\\\?(Users|src|work)");
        foreach (string path in Sources.Files("").Where(IsText))
        {
            place.Match(Sources.Read(path)).Value.Should().BeEmpty(path);
        }
    }

    [Fact]
    public void Usings_stand_in_order_those_of_the_system_first()
    {
        foreach (string path in Sources.Files("").Where(path => path.EndsWith(".cs", StringComparison.Ordinal)))
        {
            string[] usings = [.. Sources.Read(path).Split('\n').TakeWhile(line => !line.StartsWith("namespace ", StringComparison.Ordinal)).Where(line => line.StartsWith("using ", StringComparison.Ordinal) && line.EndsWith(';') && !line.Contains('('))];
            usings.Should().Equal(
                usings.OrderBy(line => line.Contains('=') ? 2 : line.StartsWith("using static ", StringComparison.Ordinal) ? 1 : 0).ThenBy(line => !Name(line).StartsWith("System", StringComparison.Ordinal)).ThenBy(Name, StringComparer.OrdinalIgnoreCase), path);
        }

        static string Name(string line) => line["using ".Length..].Replace("static ", "", StringComparison.Ordinal).TrimEnd(';');
    }

    [Fact]
    public void Every_version_of_a_package_is_named_in_one_place()
    {
        foreach (string path in Sources.Files("").Where(path => path.EndsWith("proj", StringComparison.Ordinal)))
        {
            Sources.Read(path).Should().NotMatchRegex(@"PackageReference [^>]*Version=", path);
        }

        Sources.Read("Directory.Packages.props").Should().Contain("\"FluentAssertions\" Version=\"[6.12.0]\"").And.NotContain("Moq").And.NotContain("Coyote");
    }

    [Fact]
    public void The_readmes_example_is_compiled()
    {
        string readme = Regex.Match(Sources.Read("README.md"), @"```csharp\n(.*?)```", RegexOptions.Singleline).Groups[1].Value;
        string region = Regex.Match(Sources.Read("tests/WorktreePool.Process.Tests/ReadmeExample.cs"), @"#region README\n(.*?)\n *#endregion", RegexOptions.Singleline).Groups[1].Value;

        Lines(region).Should().Equal(Lines(readme));
        static IEnumerable<string> Lines(string text) => text.Split('\n').Select(line => line.Trim()).Where(line => line.Length > 0);
    }

    private static bool IsText(string path) =>
        Path.GetExtension(path) is ".cs" or ".md" or ".csproj" or ".props" or ".targets" or ".json" or ".config" or ".sln" or ".txt" or ".yml" or ".sh" or ".editorconfig" or ""
        && !path.EndsWith("LICENSE", StringComparison.Ordinal);
}
