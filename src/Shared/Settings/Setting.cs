namespace WorktreePool.Settings;

/// <summary>One setting: what it is called, how it is read from text and written to it, its rule, and whether a change of it counts while the pool is in use.</summary>
/// <typeparam name="TOptions">The options it belongs to.</typeparam>
internal sealed class Setting<TOptions>
{
    private Setting(string name, string meaning) => (Name, Meaning) = (name, meaning);

    /// <summary>As in pool.json.</summary>
    public string Name { get; }

    /// <summary>In a few words, for help texts.</summary>
    public string Meaning { get; }

    public SettingForm Form { get; private init; } = SettingForm.Text;

    /// <summary>Whether a changed value counts without a restart.</summary>
    public bool Reloads { get; private init; }

    /// <summary>The name of the option, as in messages about its rule.</summary>
    public string OptionName => char.ToUpperInvariant(Name[0]) + Name[1..];

    /// <summary>Reads it from text; throws a <see cref="FormatException"/> whose message is the rule that the text breaks.</summary>
    public required Action<TOptions, string> Set { get; init; }

    /// <summary>As text; null when it is not set.</summary>
    public required Func<TOptions, string?> Get { get; init; }

    /// <summary>Takes the value from the first to the second.</summary>
    public required Action<TOptions, TOptions> Copy { get; init; }

    /// <summary>The value for a message and the rule that it breaks; null when it is fine.</summary>
    public required Func<TOptions, BrokenRule?> WhyNot { get; init; }

    public static Setting<TOptions> Of<T>(
        string name, string meaning, SettingForm form, Func<TOptions, T> get, Action<TOptions, T> set, Func<string, T> read, Func<T, string?> write, Func<T, BrokenRule?>? whyNot = null, bool reloads = false) =>
        new(name, meaning)
        {
            Form = form,
            Reloads = reloads,
            Set = (options, text) => set(options, read(text)),
            Get = options => write(get(options)),
            Copy = (from, to) => set(to, get(from)),
            WhyNot = options => whyNot?.Invoke(get(options)),
        };

    /// <summary>One whose value is a list that the options hold and do not replace.</summary>
    public static Setting<TOptions> OfList<T>(string name, string meaning, SettingForm form, Func<TOptions, IList<T>> get, Func<string, IEnumerable<T>> read, Func<IList<T>, string?> write) =>
        new(name, meaning)
        {
            Form = form,
            Set = (options, text) => Fill(get(options), read(text)),
            Get = options => write(get(options)),
            Copy = (from, to) => Fill(get(to), get(from)),
            WhyNot = _ => null,
        };

    private static void Fill<T>(IList<T> list, IEnumerable<T> items)
    {
        T[] all = [.. items];
        list.Clear();
        foreach (T item in all)
        {
            list.Add(item);
        }
    }
}

/// <summary>A rule, and the value that breaks it.</summary>
/// <param name="Value">For a message.</param>
/// <param name="Rule">As a sentence that begins with "it".</param>
internal sealed record BrokenRule(string Value, string Rule);

/// <summary>What a setting's text looks like.</summary>
internal enum SettingForm
{
    Text,

    /// <summary>A path; on a command line relative to the current directory.</summary>
    Path,

    /// <summary>true or false; as a flag alone it means true.</summary>
    Switch,

    Number,

    /// <summary>One item a line.</summary>
    List,

    /// <summary>JSON, as it stands in pool.json.</summary>
    Json,
}
